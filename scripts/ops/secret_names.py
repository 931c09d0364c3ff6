"""The secrets that deployments made and the command line rotates."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class SecretName(StrEnum):
    CURSOR_KEY = "cursor-key"
    CLIENT_SECRET = "oauth-client-secret"  # noqa: S105 - the name of a secret
    DATABASE = "database"


PURPOSES: Final[Mapping[SecretName, str]] = {
    SecretName.CURSOR_KEY: "signs the cursors of pagination",
    SecretName.CLIENT_SECRET: "identifies the console to the user pool",
    SecretName.DATABASE: "password of the database's administrator",
}
