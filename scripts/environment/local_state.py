"""The state of the local stack between two commands: one file in one folder."""

import os
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from scripts.common.errors import ToolError
from scripts.common.project_files import CHECKOUT

HOME_VARIABLE = "PULSEQUEUE_HOME"


def home_folder() -> Path:
    """Return the folder of the stack's state: .pulsequeue in the checkout, or PULSEQUEUE_HOME."""
    return Path(os.environ.get(HOME_VARIABLE) or CHECKOUT / ".pulsequeue").absolute()


class Record(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True, serialize_by_alias=True
    )


class ProcessRecord(Record):
    """A process we started. Its start time distinguishes it from a later process with the same pid."""

    name: str
    pid: int
    created_at: float


class StackState(Record):
    env: str
    aws_endpoint: str
    region: str
    access_key_id: str
    secret_access_key: str
    processes: tuple[ProcessRecord, ...]
    scratch: str
    logs: dict[str, str]
    started_at: str
    metrics_url: str | None = None
    metrics_token: str | None = None
    users_password: str = ""
    api_url: str | None = None
    console_url: str | None = None
    """The one origin of the console and the API."""
    identity_provider_url: str | None = None
    """Who plays Google and GitHub."""
    postgres: str | None = None
    """A DSN."""
    postgres_port: int = 0
    postgres_scratch: str | None = None

    @property
    def emulator_port(self) -> int:
        return int(self.aws_endpoint.rpartition(":")[2])

    def process(self, name: str) -> ProcessRecord | None:
        return next((record for record in self.processes if record.name == name), None)

    @classmethod
    def read(cls, home: Path) -> Self | None:
        """Return the state that `up` wrote; None if there is none or it cannot be read."""
        try:
            return cls.model_validate_json(state_file(home).read_bytes())
        except (FileNotFoundError, NotADirectoryError, ValidationError):
            return None
        except OSError as error:
            raise ToolError(f"{state_file(home)} cannot be read: {error.strerror}.") from error

    def write(self, home: Path) -> None:
        write_private(state_file(home), self.model_dump_json(indent=2) + "\n")


def state_file(home: Path) -> Path:
    return home / "state.json"


def write_private(path: Path, text: str) -> None:
    """Replace a file atomically; only its owner can read it."""
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)


def make_home(home: Path) -> None:
    """Create the folder, private to its owner."""
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe = home / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise ToolError(
            f"the state folder {home} cannot be written to ({error.strerror}); "
            f"choose another one with {HOME_VARIABLE}."
        ) from error
