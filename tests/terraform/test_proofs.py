"""infra/PROOFS.md names every type of resource there is, and claims nothing that the sources deny."""

import re
from collections.abc import Sequence

import pytest

from tests.terraform import proofs
from tests.terraform.proofs import NEVER, PARTLY, PROOFS, TESTS, YES, Proof
from tests.terraform.sources import Sources

USES = {"order", "verify", "rights", "twin", "rules", "deploy"}


@pytest.fixture(scope="module")
def sources() -> Sources:
    return Sources.read()


@pytest.fixture(scope="module")
def table() -> Sequence[Proof]:
    return proofs.written(PROOFS.read_text(encoding="utf-8"))


def test_every_type_has_its_line_and_no_other(sources: Sources, table: Sequence[Proof]) -> None:
    assert [it.type for it in table] == sorted({it.type for it in sources.every("resource")})


def test_what_makes_a_type_does(sources: Sources, table: Sequence[Proof]) -> None:
    made_by = proofs.made_by(sources)

    claimed = {it.type: it.made_by for it in table if it.made_by != NEVER}

    assert claimed == {kind: made_by[kind] for kind in claimed}


def test_what_is_never_made_is_made_on_request_alone_and_has_a_test(
    sources: Sources, table: Sequence[Proof]
) -> None:
    for it in table:
        if it.made_by == NEVER:
            assert all({"for_each", "count"} & block.body.keys() for block in sources.resources(it.type))
            assert (it.stays, it.used_by, it.asserted) == ("", [], YES)
            assert it.otherwise


def test_a_type_is_said_to_stay_only_if_no_second_plan_leaves_it_out(
    sources: Sources, table: Sequence[Proof]
) -> None:
    assert {it.stays for it in table} <= {YES, PARTLY, ""}
    assert {it.type for it in table if it.stays == YES} & proofs.forgotten(sources) == set()


def test_what_a_second_plan_says_nothing_of_is_explained(table: Sequence[Proof]) -> None:
    assert [it.type for it in table if it.stays != YES and not it.otherwise] == []


def test_what_is_used_is_used_by_something_that_is_there(table: Sequence[Proof]) -> None:
    assert {use for it in table for use in it.used_by} == USES
    assert [it.type for it in table if not it.used_by and it.made_by != NEVER] == []


def test_what_is_looked_at_where_it_was_applied_is(table: Sequence[Proof]) -> None:
    looks = "".join(it.read_text(encoding="utf-8") for it in TESTS.glob("test_*.py"))

    claimed = {it.type for it in table if "rules" in it.used_by}

    assert claimed
    assert claimed <= set(re.findall(r'applied\.resources\("(\w+)"\)', looks))


def test_what_a_modules_test_says_something_of_is_marked_so(sources: Sources, table: Sequence[Proof]) -> None:
    assert {it.type for it in table if it.asserted == YES} == proofs.asserted(sources)


def test_what_is_left_to_the_modules_test_is_in_it(table: Sequence[Proof]) -> None:
    left = [it for it in table if "module's test" in it.otherwise]

    assert left
    assert [it.type for it in left if it.asserted != YES] == []


def test_a_module_that_calls_others_makes_what_they_make() -> None:
    sources = Sources.of(
        {
            "envs/local/main.tf": 'module "outer" {\n  source = "../../modules/outer"\n}\n',
            "modules/outer/main.tf": 'module "inner" {\n  source = "../inner"\n}\n',
            "modules/inner/main.tf": 'resource "aws_sqs_queue" "this" {}\n',
            "modules/other/main.tf": 'resource "aws_sns_topic" "this" {}\n',
        }
    )

    assert proofs.made_by(sources) == {"aws_sqs_queue": "local", "aws_sns_topic": NEVER}
