"""What DynamoDB bills for calls whose answers do not say: its rules, applied to the items. Pure."""

import math
from collections.abc import Mapping
from typing import Any

_WRITE_UNIT = 1024
_READ_UNIT = 4096
TRANSACTIONAL = 2
"""What an action in a transaction costs, as a multiple of the same outside of one."""


def item_bytes(item: Mapping[str, Any]) -> int:
    """Size an item as DynamoDB does: its names, and its values by their types."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def write_units(size: int) -> int:
    return max(1, math.ceil(size / _WRITE_UNIT))


def read_units(size: int) -> int:
    """Units of one strongly consistent read; one that finds nothing costs one, too."""
    return max(1, math.ceil(size / _READ_UNIT))


def _value_bytes(value: Mapping[str, Any]) -> int:
    ((kind, held),) = value.items()
    match kind:
        case "S":
            return len(held.encode())
        case "B":
            return math.ceil(len(held) * 3 / 4)  # as it travels, in base 64
        case "N":
            return math.ceil(len(held.strip("-").replace(".", "")) / 2) + 1
        case "L":
            return 3 + sum(1 + _value_bytes(one) for one in held)
        case "M":
            return 3 + sum(1 + len(name.encode()) + _value_bytes(one) for name, one in held.items())
        case _:
            return 1
