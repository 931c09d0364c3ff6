"""Every failure is one sentence for a person and an exit code for a script."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError
from pydantic import BaseModel

from scripts.cli.main import main
from scripts.cli.session import Session
from scripts.common.errors import ToolError
from scripts.environment.local_state import HOME_VARIABLE
from scripts.ops.context import OpsContext
from services.shared.errors import StoreUnavailableError
from tests.monitoring.stack_state import stack_state
from tests.unit.conftest import CommandLine


class _Model(BaseModel):
    number: int


def _invalid() -> Exception:
    try:
        _Model.model_validate({"number": "x"})
    except ValueError as error:
        return error
    raise AssertionError


FAILURES: dict[str, tuple[Callable[[], BaseException], int, str]] = {
    "a refusal of ours": (lambda: ToolError("no.", exit_code=2), 2, "pulsequeue: no.\n"),
    "a refusal of AWS": (
        lambda: ClientError({"Error": {"Code": "AccessDenied", "Message": "not you"}}, "Scan"),
        1,
        "pulsequeue: AWS refused Scan: not you\n",
    ),
    "no credentials": (NoCredentialsError, 1, "pulsequeue: no AWS credentials;"),
    "nobody there": (
        lambda: EndpointConnectionError(endpoint_url="http://127.0.0.1:1"),
        1,
        "pulsequeue: cannot reach AWS:",
    ),
    "a store that is busy": (
        lambda: StoreUnavailableError("throttled"),
        1,
        "pulsequeue: throttled; retry.",
    ),
    "something invalid": (_invalid, 1, "pulsequeue: _Model is not valid: number: must be a whole number"),
    "a full disk": (lambda: OSError(28, "No space left on device", "x"), 1, "pulsequeue: x: No space left"),
    "an interrupt": (KeyboardInterrupt, 130, ""),
    "a reader that went away": (BrokenPipeError, 1, ""),
    "a defect": (lambda: KeyError("oops"), 1, "pulsequeue: unexpected error (KeyError: 'oops')"),
}


@pytest.mark.parametrize("what", FAILURES)
def test_a_failure_becomes_a_sentence_and_an_exit_code(what: str, capsys: pytest.CaptureFixture[str]) -> None:
    make, code, sentence = FAILURES[what]

    def fail(_env: str) -> OpsContext:
        raise make()

    assert main(["inventory", "ls"], Session(opener=fail)) == code

    captured = capsys.readouterr()
    assert captured.err.startswith(sentence)
    assert "Traceback" not in captured.err
    assert captured.out == ""


@pytest.mark.parametrize("wrapper", [None, StoreUnavailableError, ToolError])
def test_a_local_stack_that_does_not_answer_is_repaired_with_make_up(
    wrapper: type[Exception] | None,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    stack_state().write(tmp_path)
    nobody = EndpointConnectionError(endpoint_url=f"{stack_state().aws_endpoint}/")

    def fail(_env: str) -> OpsContext:
        if wrapper is None:
            raise nobody
        raise wrapper(str(nobody)) from nobody

    assert main(["inventory", "ls"], Session(opener=fail)) == 1

    assert capsys.readouterr().err == (
        f"pulsequeue: the local stack does not answer at {stack_state().aws_endpoint}; "
        "`pulsequeue status` says what is wrong, `make up` repairs it.\n"
    )


@pytest.mark.parametrize(
    "arguments", [("nonsense",), ("inventory", "nonsense"), ("order", "show"), ("--what",)]
)
def test_a_command_that_is_none_exits_with_2(pulsequeue: CommandLine, arguments: tuple[str, ...]) -> None:
    ran = pulsequeue(*arguments)

    assert ran.code == 2
    assert ran.err


@pytest.mark.parametrize(
    "arguments", [("--env", "dev", "inventory", "ls"), ("inventory", "ls", "--env", "dev")]
)
def test_the_environment_may_be_named_before_or_after_the_command(arguments: tuple[str, ...]) -> None:
    opened: list[str] = []

    def refuse(env: str) -> OpsContext:
        opened.append(env)
        raise ToolError("no.")

    main(arguments, Session(opener=refuse))

    assert opened == ["dev"]


def test_the_environment_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULSEQUEUE_ENV", "prod")
    opened: list[str] = []

    def refuse(env: str) -> OpsContext:
        opened.append(env)
        raise ToolError("no.")

    main(["inventory", "ls"], Session(opener=refuse))

    assert opened == ["prod"]


@pytest.mark.parametrize("arguments", [("--json", "inventory", "ls"), ("inventory", "ls", "--json")])
def test_json_may_be_requested_before_or_after_the_command(
    pulsequeue: CommandLine, arguments: tuple[str, ...]
) -> None:
    assert [stock["sku"] for stock in pulsequeue(*arguments).json] == ["prod-001", "prod-002"]


def test_a_missing_resource_names_the_environment(capsys: pytest.CaptureFixture[str]) -> None:
    def fail(_env: str) -> OpsContext:
        raise ClientError(
            {"Error": {"Code": "ResourceNotFoundException", "Message": "Table: dve-orders not found"}}, "Scan"
        )

    assert main(["inventory", "ls", "--env", "dve"], Session(opener=fail)) == 1

    assert "environment 'dve' lacks what this needs (Table: dve-orders not found)" in capsys.readouterr().err


def _program(*arguments: str) -> list[str]:
    return [sys.executable, "-c", "from scripts.cli.main import run; run()", *arguments]


def test_a_reader_that_stops_early_causes_no_complaint() -> None:
    reading, writing = os.pipe()
    os.close(reading)

    process = subprocess.run(  # noqa: S603 - our own program
        _program("events", "schema", "--all"), stdout=writing, stderr=subprocess.PIPE, check=False
    )
    os.close(writing)

    assert process.stderr == b""


def test_asking_for_help_loads_no_aws_client_and_no_model() -> None:
    script = (
        "import sys; from scripts.cli.main import main; main(['--help']); "
        "print([name for name in ('boto3', 'botocore', 'pydantic', 'rich') if name in sys.modules])"
    )

    process = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert process.stdout.splitlines()[-1] == "[]"
