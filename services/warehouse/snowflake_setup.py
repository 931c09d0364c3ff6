"""What an administrator runs in Snowflake once: rendered from snowflake/*.sql, statement by statement."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Final

from services.shared.errors import PulseQueueError

_FOLDER: Final = Path(__file__).with_name("snowflake")
_RUN_AS: Final = re.compile(r"Run as (\w+)")
_SNOWPIPE: Final = "60_snowpipe"
_SHAPES: Final = {
    "prefix": re.compile(r"[A-Z][A-Z0-9_]{0,30}"),
    "url": re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/([\w.-]+/)*"),
    "aws_role": re.compile(r"arn:aws[\w-]*:iam::\d{12}:role/[\w+=,.@/-]+"),
}


class SetupInvalidError(PulseQueueError):
    """A value that cannot stand in the statements."""


@dataclass(frozen=True, slots=True)
class Setup:
    """The names and the sign-in of an installation."""

    url: str
    """Root of the export, such as s3://bucket/export/."""
    aws_role: str
    """The AWS role that reads the export for Snowflake."""
    loader_aws_role: str | None = None
    """The AWS role of the loader, to sign in without a secret."""
    public_key: str | None = None
    """PEM of the loader's public key, to sign in by key pair."""
    prefix: str = "PULSEQUEUE"
    credits: int = 10
    """A month's limit of the warehouse."""

    def __post_init__(self) -> None:
        for name, shape in _SHAPES.items():
            if not shape.fullmatch(getattr(self, name)):
                raise SetupInvalidError(f"{name.replace('_', ' ')} {getattr(self, name)!r} is not valid.")
        if (self.loader_aws_role is None) == (self.public_key is None):
            raise SetupInvalidError("give either the AWS role of the loader, or its public key.")
        if self.loader_aws_role is not None and not _SHAPES["aws_role"].fullmatch(self.loader_aws_role):
            raise SetupInvalidError(f"loader's AWS role {self.loader_aws_role!r} is not valid.")

    @property
    def sign_in(self) -> str:
        if self.loader_aws_role is not None:
            return f"WORKLOAD_IDENTITY = (TYPE = AWS ARN = '{self.loader_aws_role}')"
        return f"RSA_PUBLIC_KEY = '{_key_body(self.public_key or '')}'"


@dataclass(frozen=True, slots=True)
class Script:
    name: str
    text: str

    @property
    def role(self) -> str:
        """The role of Snowflake that runs it."""
        found = _RUN_AS.search(self.text)
        return found[1] if found else ""

    @property
    def statements(self) -> Sequence[str]:
        code = "\n".join(line for line in self.text.splitlines() if not line.startswith("--"))
        return [part.strip(" \n;") for part in code.split(";\n") if part.strip(" \n;")]


def scripts(setup: Setup, *, snowpipe: bool = False) -> Sequence[Script]:
    """Return the scripts in the order in which they are run."""
    values = {
        "prefix": setup.prefix,
        "url": setup.url,
        "aws_role": setup.aws_role,
        "credits": str(setup.credits),
        "sign_in": setup.sign_in,
    }
    return [
        Script(path.stem, Template(path.read_text(encoding="utf-8")).substitute(values))
        for path in sorted(_FOLDER.glob("*.sql"))
        if snowpipe or path.stem != _SNOWPIPE
    ]


def _key_body(pem: str) -> str:
    lines = pem.strip().splitlines()
    if len(lines) < 3 or lines[0] != "-----BEGIN PUBLIC KEY-----":  # noqa: PLR2004 - its frame, and a body
        raise SetupInvalidError("the public key is not a PEM file that begins with BEGIN PUBLIC KEY.")
    body = "".join(lines[1:-1])
    if not re.fullmatch(r"[A-Za-z0-9+/=]+", body):
        raise SetupInvalidError("the public key is not base64 between its first and last line.")
    return body
