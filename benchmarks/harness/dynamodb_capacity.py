"""Capacity units by DynamoDB's rules, for calls whose responses do not report them. Pure."""

import math
from collections.abc import Mapping
from typing import Any

_WRITE_UNIT = 1024
_READ_UNIT = 4096
TRANSACTIONAL = 2
"""Cost factor of an action in a transaction."""


def item_bytes(item: Mapping[str, Any]) -> int:
    """Return the size of an item as DynamoDB counts it: names, and values by type."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def write_units(size: int) -> int:
    return max(1, math.ceil(size / _WRITE_UNIT))


def read_units(size: int) -> int:
    """Units of one strongly consistent read; a miss costs one unit."""
    return max(1, math.ceil(size / _READ_UNIT))


def _value_bytes(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "B":
            return math.ceil(len(content) * 3 / 4)  # base64 on the wire
        case "N":
            return math.ceil(len(content.strip("-").replace(".", "")) / 2) + 1
        case "L":
            return 3 + sum(1 + _value_bytes(one) for one in content)
        case "M":
            return 3 + sum(1 + len(name.encode()) + _value_bytes(one) for name, one in content.items())
        case _:
            return 1
