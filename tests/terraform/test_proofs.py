"""infra/PROOFS.md lists every resource type, and agrees with the sources."""

import re
from collections.abc import Sequence

import pytest

from tests.terraform import proofs
from tests.terraform.proofs import NEVER, PARTLY, PROOFS, TESTS, YES, Proof
from tests.terraform.sources import Sources

EXERCISES = {"order", "verify", "permissions", "parity", "conventions", "deploy"}


@pytest.fixture(scope="module")
def sources() -> Sources:
    return Sources.read()


@pytest.fixture(scope="module")
def table() -> Sequence[Proof]:
    return proofs.parse_table(PROOFS.read_text(encoding="utf-8"))


def test_the_table_has_one_row_per_resource_type(sources: Sources, table: Sequence[Proof]) -> None:
    assert [it.type for it in table] == sorted({it.type for it in sources.every("resource")})


def test_the_applied_root_creates_the_type(sources: Sources, table: Sequence[Proof]) -> None:
    applied_by = proofs.applied_by(sources)

    claimed = {it.type: it.applied_by for it in table if it.applied_by != NEVER}

    assert claimed == {kind: applied_by[kind] for kind in claimed}


def test_types_never_applied_are_optional_and_have_a_module_test(
    sources: Sources, table: Sequence[Proof]
) -> None:
    for it in table:
        if it.applied_by == NEVER:
            assert all(proofs.is_optional(sources, block) for block in sources.resources(it.type))
            assert (it.stable, it.exercised_by, it.asserted_types) == ("", [], YES)
            assert it.note


def test_stable_types_are_not_excluded_from_a_second_plan(sources: Sources, table: Sequence[Proof]) -> None:
    assert {it.stable for it in table} <= {YES, PARTLY, ""}
    assert {it.type for it in table if it.stable == YES} & proofs.types_that_differ(sources) == set()


def test_types_that_are_not_stable_have_a_note(table: Sequence[Proof]) -> None:
    assert [it.type for it in table if it.stable != YES and not it.note] == []


def test_every_applied_type_is_exercised_by_a_known_test(table: Sequence[Proof]) -> None:
    assert {use for it in table for use in it.exercised_by} == EXERCISES
    assert [it.type for it in table if not it.exercised_by and it.applied_by != NEVER] == []


def test_types_marked_conventions_are_read_from_the_applied_environment(table: Sequence[Proof]) -> None:
    inspectors = "".join(it.read_text(encoding="utf-8") for it in TESTS.glob("test_*.py"))

    claimed = {it.type for it in table if "conventions" in it.exercised_by}

    assert claimed
    assert claimed <= set(re.findall(r'applied\.resources\("(\w+)"\)', inspectors))


def test_types_in_module_tests_are_marked(sources: Sources, table: Sequence[Proof]) -> None:
    assert {it.type for it in table if it.asserted_types == YES} == proofs.asserted_types(sources)


def test_notes_that_refer_to_the_modules_test_are_true(table: Sequence[Proof]) -> None:
    deferred = [it for it in table if "module's test" in it.note]

    assert deferred
    assert [it.type for it in deferred if it.asserted_types != YES] == []


def test_types_of_nested_modules_count_for_the_root() -> None:
    sources = Sources.of(
        {
            "envs/local/main.tf": 'module "outer" {\n  source = "../../modules/outer"\n}\n',
            "modules/outer/main.tf": 'module "inner" {\n  source = "../inner"\n}\n',
            "modules/inner/main.tf": 'resource "aws_sqs_queue" "this" {}\n',
            "modules/other/main.tf": 'resource "aws_sns_topic" "this" {}\n',
        }
    )

    assert proofs.applied_by(sources) == {"aws_sqs_queue": "local", "aws_sns_topic": NEVER}
