"""Refuses a migration that the code which is running meanwhile cannot bear (docs/adr/0016).

The schema is migrated before the new code serves anybody, and stays when the code is rolled back. So a
migration may add, and nothing that earlier code uses may change or go. What is left over is removed later, by
a migration that says so in its first line: `-- contract: <why nothing uses it any more>`.
"""

import re
from typing import Final

from services.shared.errors import PulseQueueError


class IncompatibleMigrationError(PulseQueueError):
    """The migration would break the code that is running."""


CONTRACT: Final = re.compile(r"\A-- contract: \S.*")

_NOISE: Final = re.compile(r"--[^\n]*|/\*.*?\*/|(?P<tag>\$\w*\$).*?(?P=tag)|'(?:[^']|'')*'", re.DOTALL)
"""Comments, function bodies and strings: not statements of the migration itself."""
_CREATED: Final = re.compile(r"^CREATE (?:UNLOGGED )?TABLE (?:IF NOT EXISTS )?(\S+)", re.IGNORECASE)
_ALTERED: Final = re.compile(
    r"^(?:ALTER TABLE (?:IF EXISTS )?(?:ONLY )?|CREATE UNIQUE INDEX .*? ON (?:ONLY )?)(\w+)", re.IGNORECASE
)
_ADDED_WITHOUT_DEFAULT: Final = (
    r"\bADD (?:COLUMN )?(?:IF NOT EXISTS )?\w+ (?:(?!,|\bDEFAULT\b|\bGENERATED\b).)*\bNOT NULL\b"
    r"(?!(?:(?!,).)*\b(?:DEFAULT|GENERATED)\b)"
)
_REFUSED: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), reason)
    for pattern, reason in (
        (r"^DROP (?!INDEX|TRIGGER|POLICY)", "earlier code may use what it drops"),
        (r"\bDROP (?:COLUMN\b|EXPRESSION\b|IDENTITY\b)", "earlier code may use the column"),
        (r"\bDROP DEFAULT\b", "earlier code may insert rows without this column"),
        (r"^ALTER .*\bRENAME\b", "earlier code uses the earlier name; add another, and copy"),
        (r"\bALTER (?:COLUMN )?\w+ (?:SET DATA )?TYPE\b", "earlier code uses the earlier type; add a column"),
        (r"\bSET NOT NULL\b", "earlier code may leave the column empty"),
        (
            _ADDED_WITHOUT_DEFAULT,
            "earlier code inserts rows without this column; give it a default",
        ),
        (
            r"\bADD (?:CONSTRAINT \w+ )?(?:CHECK|UNIQUE|PRIMARY|FOREIGN|EXCLUDE)\b",
            "earlier code may write rows that it forbids",
        ),
        (r"^CREATE UNIQUE INDEX\b", "earlier code may write rows that it forbids"),
        (r"^(?:TRUNCATE|DELETE FROM)\b", "earlier code may read what it deletes"),
        (r"^REVOKE .*\bON (?:TABLE )?(?!FUNCTION)\w", "earlier code may need the right"),
    )
)


def check(name: str, sql: str) -> None:
    """Refuse a migration that is not additive, unless it says that it is a contraction."""
    if CONTRACT.match(sql):
        return
    created: set[str] = set()
    for statement in _statements(sql):
        if found := _CREATED.match(statement):
            created.add(found[1].lower())
        altered = _ALTERED.match(statement)
        if altered and altered[1].lower() in created:
            continue  # no earlier code knows it
        for pattern, reason in _REFUSED:
            if pattern.search(statement):
                raise IncompatibleMigrationError(
                    f"{name} is not additive: {reason} (`{statement[:60]}`). Split it: add first, and remove "
                    "in a later migration that begins with `-- contract: ` and why nothing uses it any more"
                )


def _statements(sql: str) -> list[str]:
    plain = _NOISE.sub(" ", sql)
    return [" ".join(it.split()) for it in plain.split(";") if it.strip()]
