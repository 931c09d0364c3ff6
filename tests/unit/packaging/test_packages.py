"""What goes into a package, and that the same goes in every time."""

import gzip
import io
import json
import zipfile
from pathlib import Path, PurePosixPath

import pytest

from scripts.common.errors import ToolError
from scripts.common.project_files import CHECKOUT
from scripts.environment.topology import Topology
from scripts.packaging import botocore_data
from scripts.packaging.contents import is_needed, of_service, shipped
from scripts.packaging.packages import Package, by_service, services_alone, within_budget
from scripts.packaging.target import Platform, Target
from scripts.packaging.zip import zipped
from services.shared.adapters.clients import Clients


def _locked(name: str) -> set[str]:
    lines = (CHECKOUT / "requirements" / name).read_text(encoding="utf-8").splitlines()
    return {line.split()[0] for line in lines if "==" in line}


def _checkout(folder: Path, *modules: str) -> Path:
    for module in modules:
        file = folder / "services" / module
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"NAME = {module!r}\nKNOWN = {{'a', 'b', 'c'}}\n", encoding="utf-8")
    return folder


def test_the_same_sources_give_the_same_bytes_wherever_they_lie(tmp_path: Path) -> None:
    here = _checkout(tmp_path / "here", "__init__.py", "order/a.py", "shared/b.py")
    there = _checkout(tmp_path / "there" / "below", "shared/b.py", "order/a.py", "__init__.py")
    (there / "services" / "order" / "__pycache__").mkdir()
    (there / "services" / "order" / "__pycache__" / "a.pyc").write_bytes(b"of another time")

    assert services_alone(here) == services_alone(there)


def test_every_module_is_compiled_and_names_the_place_where_lambda_unpacks_it(tmp_path: Path) -> None:
    package = services_alone(_checkout(tmp_path, "__init__.py", "order/a.py"))

    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        compiled = {name.split(".")[0]: archive.read(name) for name in archive.namelist() if "pyc" in name}
    assert set(compiled) == {"services/__pycache__/__init__", "services/order/__pycache__/a"}
    assert b"/var/task/services/order/a.py" in compiled["services/order/__pycache__/a"]
    assert str(tmp_path).encode() not in compiled["services/order/__pycache__/a"]


def test_bytecode_is_never_held_against_its_source(tmp_path: Path) -> None:
    package = services_alone(_checkout(tmp_path, "__init__.py"))

    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        compiled = next(archive.read(name) for name in archive.namelist() if name.endswith(".pyc"))
    assert int.from_bytes(compiled[4:8], "little") == 1  # a hash, unchecked (PEP 552)


def test_a_zip_says_nothing_of_when_or_in_which_order_it_was_made() -> None:
    one = zipped({"a.py": b"a", "b.py": b"b"})
    other = zipped({"b.py": b"b", "a.py": b"a"})

    assert one == other


def test_functions_of_one_service_share_a_package() -> None:
    assert by_service(Topology.load())["order"] == ["order", "expiry", "audit"]


def test_a_package_holds_its_service_and_what_is_shared_and_no_other_service() -> None:
    staged = dict.fromkeys(
        (
            "services/__init__.py",
            "services/__pycache__/__init__.cpython-313.pyc",
            "services/order/handlers.py",
            "services/payment/handlers.py",
            "services/shared/adapters/eventbridge.py",
            "services/shared/__pycache__/bus.cpython-313.pyc",
            "botocore/session.py",
            "prometheus_client/core.py",
            "prometheus_client-1.dist-info/METADATA",
        ),
        b"",
    )

    assert set(of_service("order", staged)) == {
        "services/__init__.py",
        "services/__pycache__/__init__.cpython-313.pyc",
        "services/order/handlers.py",
        "services/shared/adapters/eventbridge.py",
        "services/shared/__pycache__/bus.cpython-313.pyc",
        "botocore/session.py",
    }
    assert {"prometheus_client/core.py", "prometheus_client-1.dist-info/METADATA"} < set(
        of_service("metrics", staged)
    )


@pytest.mark.parametrize(
    ("path", "needed"),
    [
        ("botocore/data/dynamodb/2012-08-10/service-2.json.gz", True),
        ("botocore/data/dynamodb/2012-08-10/paginators-1.json", True),
        ("botocore/data/dynamodb/2012-08-10/examples-1.json", False),
        ("botocore/data/ec2/2016-11-15/service-2.json.gz", False),
        ("botocore/data/partitions.json", True),
        ("pydantic/main.py", True),
        ("pydantic/v1/main.py", False),
        ("pydantic-2.14.3.dist-info/METADATA", True),
        ("pydantic-2.14.3.dist-info/RECORD", False),
        ("wrapt-stubs/__init__.pyi", False),
        ("aws_lambda_powertools/py.typed", False),
        ("aws_lambda_powertools/utilities/jmespath_utils/__init__.py", True),
        ("aws_lambda_powertools/utilities/kafka/consumer.py", False),
        ("bin/jp.py", False),
    ],
)
def test_what_no_function_uses_stays_out(path: str, needed: bool) -> None:
    assert is_needed(PurePosixPath(path)) is needed


def test_the_data_of_every_client_we_make_is_in() -> None:
    made = {name.replace("_", "-") for name in vars(Clients) if not name.startswith("_")}

    assert made <= set(botocore_data.SERVICES)


def test_service_models_come_unpacked_and_without_their_manual() -> None:
    model = {
        "documentation": "<p>What a service.</p>",
        "shapes": {"Rule": {"members": {"documentation": {"shape": "Text", "documentation": "<p>x</p>"}}}},
    }

    path, content = shipped(
        PurePosixPath("botocore/data/events/2015-10-07/service-2.json.gz"),
        gzip.compress(json.dumps(model).encode()),
    )

    assert path.name == "service-2.json"
    assert json.loads(content) == {"shapes": {"Rule": {"members": {"documentation": {"shape": "Text"}}}}}


def test_only_the_endpoints_of_our_services_are_kept_in_every_partition() -> None:
    table = {
        "version": 3,
        "partitions": [{"partition": "aws", "services": {"sqs": {"endpoints": {}}, "ec2": {}}}],
    }

    _, content = shipped(PurePosixPath("botocore/data/endpoints.json"), json.dumps(table).encode())

    assert json.loads(content) == {
        "version": 3,
        "partitions": [{"partition": "aws", "services": {"sqs": {"endpoints": {}}}}],
    }


def test_metadata_keeps_name_and_version_and_drops_the_readme() -> None:
    _, content = shipped(
        PurePosixPath("six-1.17.0.dist-info/METADATA"), b"Name: six\nVersion: 1.17.0\n\n# Six\n\nA readme.\n"
    )

    assert content == b"Name: six\nVersion: 1.17.0\n"


def test_a_package_over_the_budget_is_refused_with_what_is_heavy_in_it() -> None:
    package = Package("order", ["order"], b"12345", {"botocore": 3, "pydantic": 9}, b"{}")

    with pytest.raises(
        ToolError, match=r"order.zip has 5 bytes, over the limit of 4; largest parts: pydantic, botocore"
    ):
        within_budget(package, budget=4)
    assert within_budget(package, budget=5) is package


def test_a_python_that_is_not_there_is_named_in_one_sentence() -> None:
    with pytest.raises(ToolError, match=r"Python 3\.0, which compiles the packages, is not installed"):
        Target.of(Platform.AARCH64, "3.0").interpreter()


def test_functions_are_locked_to_the_versions_that_the_project_is_tested_with() -> None:
    locked = _locked("lambda.txt")

    assert locked
    assert locked <= _locked("all.txt")
