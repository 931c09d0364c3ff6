"""The port to the console's table: organisations, members, and what they keep beside their orders."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias

Item: TypeAlias = dict[str, Any]
"""Plain values by name, `pk` and `sk` among them: texts, whole numbers, truth values, lists and items."""

ABSENT: Final = object()

Condition: TypeAlias = Mapping[str, object] | None
"""Values that the item must have before the write; ABSENT where it must have none."""

NEW: Final[Mapping[str, object]] = {"pk": ABSENT}
"""The condition that there is no such item yet."""


@dataclass(frozen=True, slots=True)
class Put:
    item: Item
    condition: Condition = None


@dataclass(frozen=True, slots=True)
class Delete:
    pk: str
    sk: str
    condition: Condition = None


Write: TypeAlias = Put | Delete


class Console(Protocol):
    def get(self, pk: str, sk: str) -> Item | None: ...

    def list(self, pk: str, prefix: str = "") -> Sequence[Item]:
        """Return the items of a partition whose sort key begins with the prefix, in its order."""

    def newest(self, pk: str, most: int) -> Sequence[Item]:
        """Return the last items of a partition by sort key, the very last first."""

    def write(self, *writes: Write) -> bool:
        """Apply all writes; or none, and return False, when a condition does not hold."""
