"""Terraform's own files, read as far as it takes to count what they make.

Of HCL's expressions only those are worked out that say how many there are of something. What it cannot work
out is UNKNOWN, and whoever needs it says so: a bill that skips a line in silence is worse than none.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Final

import hcl2
from lark.exceptions import LarkError

from scripts.common.errors import ToolError

_AS_VALUES = hcl2.SerializationOptions(with_comments=False, explicit_blocks=False, strip_string_quotes=True)
_EXPRESSION = re.compile(r"^\$\{(.*)\}$", re.DOTALL)
_PATH = re.compile(r"^(var|local)((?:\.\w+)+)$")
_IS_NULL = re.compile(r"^(.+) (==|!=) null$")
_CHOICE = re.compile(r"^(.+?) \? (.+?) : (.+)$", re.DOTALL)
_SET = re.compile(r"^toset\(\[(.*)\]\)$", re.DOTALL)
_MAP_OF_ONE = re.compile(r"^\{\s*\w+ = [^,]+\}$")
_NUMBER = re.compile(r"^-?\d+(\.\d+)?$")
_LITERALS: Final[Mapping[str, object]] = {"null": None, "true": True, "false": False, "{}": {}, "[]": []}


class Unknown(Enum):
    """What no file of Terraform's says, or what is said in a way that is not understood here."""

    UNKNOWN = "unknown"


UNKNOWN: Final = Unknown.UNKNOWN


@dataclass(frozen=True, slots=True)
class Block:
    kind: str
    """resource, module, variable or locals."""
    labels: Sequence[str]
    body: Mapping[str, Any]

    @property
    def name(self) -> str:
        return self.labels[-1]


@dataclass(frozen=True, slots=True)
class Folder:
    """A module of Terraform's, and what it has been given."""

    path: Path
    blocks: Sequence[Block]
    given: Mapping[str, Any]
    """Its variables, as far as they are known."""
    local: Mapping[str, Any]
    """What is worked out elsewhere, because its expression is beyond this reader."""

    def of(self, kind: str) -> Iterator[Block]:
        return (block for block in self.blocks if block.kind == kind)

    def value(self, raw: object) -> Any:  # noqa: ANN401 - whatever the file says
        """Work out what an attribute is."""
        if isinstance(raw, Mapping):
            return {name: self.value(it) for name, it in raw.items()}
        if isinstance(raw, list):
            return [self.value(it) for it in raw]
        if isinstance(raw, str) and (found := _EXPRESSION.match(raw)):
            return self._worked_out(found[1].strip())
        return raw

    def variable(self, name: str) -> Any:  # noqa: ANN401 - whatever the file says
        if name in self.given:
            return self.given[name]
        declared = next((it.body for it in self.of("variable") if it.name == name), {})
        return self.value(declared["default"]) if "default" in declared else UNKNOWN

    def _worked_out(self, expression: str) -> Any:  # noqa: ANN401 - whatever the file says
        if expression in _LITERALS or _NUMBER.match(expression):
            return _LITERALS[expression] if expression in _LITERALS else float(expression)
        if found := _PATH.match(expression):
            return self._looked_up(found[1], found[2].split(".")[1:])
        if found := _IS_NULL.match(expression):
            value = self._worked_out(found[1])
            return UNKNOWN if value is UNKNOWN else (value is None) == (found[2] == "==")
        if found := _CHOICE.match(expression):
            choice = self._worked_out(found[1])
            return UNKNOWN if choice is UNKNOWN else self._worked_out(found[2] if choice else found[3])
        return _collection(expression)

    def _looked_up(self, kind: str, steps: Sequence[str]) -> Any:  # noqa: ANN401 - whatever the file says
        value = self.variable(steps[0]) if kind == "var" else self.local.get(steps[0], UNKNOWN)
        for step in steps[1:]:
            value = value.get(step, UNKNOWN) if isinstance(value, Mapping) else UNKNOWN
        return value


@dataclass(frozen=True, slots=True)
class Library:
    """Reads each folder once, however many use it."""

    _read: dict[Path, Sequence[Block]] = field(default_factory=dict)

    def folder(self, path: Path, given: Mapping[str, Any] | None = None) -> Folder:
        if path not in self._read:
            self._read[path] = tuple(_blocks(path))
        return Folder(path, self._read[path], given or {}, {})


def _collection(expression: str) -> Any:  # noqa: ANN401 - whatever the file says
    """Work out a set, or a map of one entry: how many there are is all that is asked for."""
    if found := _SET.match(expression):
        return [it.strip().strip('"') for it in found[1].split(",") if it.strip()]
    return {"one": UNKNOWN} if _MAP_OF_ONE.match(expression) else UNKNOWN


def _blocks(path: Path) -> Iterator[Block]:
    files = sorted(path.glob("*.tf"))
    if not files:
        raise ToolError(f"{path} has no files of Terraform's.")
    for file in files:
        for kind, blocks in _parsed(file).items():
            for block in blocks:
                yield from _named(kind, block)


def _parsed(file: Path) -> Mapping[str, Any]:
    try:
        return hcl2.loads(file.read_text(encoding="utf-8"), serialization_options=_AS_VALUES)
    except (LarkError, OSError, ValueError) as error:
        raise ToolError(f"{file} cannot be read as Terraform: {str(error).splitlines()[0]}.") from error


def _named(kind: str, block: Mapping[str, Any]) -> Iterator[Block]:
    if kind == "resource":
        for of, named in block.items():
            for name, body in named.items():
                yield Block(kind, (of, name), body)
    elif kind in {"module", "variable"}:
        for name, body in block.items():
            yield Block(kind, (name,), body)
    elif kind == "locals":
        yield Block(kind, ("locals",), block)
