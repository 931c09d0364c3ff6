"""The parsed Terraform sources, for rules about all resources of all environments."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import hcl2

from scripts.common.project_files import CHECKOUT

INFRA = CHECKOUT / "infra"

_READ_AS = hcl2.SerializationOptions(
    with_comments=False, explicit_blocks=False, strip_string_quotes=True, preserve_heredocs=False
)
_LABELS = {"resource": 2, "data": 2, "ephemeral": 2, "variable": 1, "output": 1, "module": 1, "provider": 1}


@dataclass(frozen=True)
class Block:
    """One block of a file, such as `resource "aws_sqs_queue" "this"`: kind, labels and body."""

    folder: str
    kind: str
    labels: Sequence[str]
    body: Mapping[str, Any]

    @property
    def type(self) -> str:
        return self.labels[0]

    @property
    def name(self) -> str:
        return self.labels[-1]

    def __str__(self) -> str:
        return f"{self.folder}: {'.'.join(self.labels)}"

    def inner(self, name: str) -> Mapping[str, Any]:
        """Return the nested block of that name; an empty one if there is none."""
        found: Mapping[str, Any] = (self.body.get(name) or [{}])[0]
        return found

    def refers_to(self, other: "Block") -> bool:
        return f"{other.type}.{other.name}." in str(self.body)


@dataclass(frozen=True)
class Sources:
    """Texts by path below infra/, and the blocks in them."""

    texts: Mapping[str, str]
    blocks: Sequence[Block]

    @classmethod
    def read(cls, root: Path = INFRA) -> Self:
        """Read all files below a folder."""
        files = sorted(it for it in root.rglob("*.tf") if ".terraform" not in it.parts)
        return cls.of({str(it.relative_to(root)): it.read_text(encoding="utf-8") for it in files})

    @classmethod
    def of(cls, texts: Mapping[str, str]) -> Self:
        """Parse the given texts."""
        return cls(texts, [block for path, text in texts.items() for block in _blocks(path, text)])

    def every(self, kind: str) -> Iterator[Block]:
        """Return the blocks of one kind."""
        return (it for it in self.blocks if it.kind == kind)

    def resources(self, *types: str) -> Iterator[Block]:
        """Return the resources of some types."""
        return (it for it in self.every("resource") if it.type in types)


def _blocks(path: str, text: str) -> Iterator[Block]:
    folder = str(Path(path).parent)
    for kind, found in hcl2.loads(text, serialization_options=_READ_AS).items():
        for body in found:
            yield from _labelled(folder, kind, (), body)


def _labelled(folder: str, kind: str, labels: tuple[str, ...], body: Mapping[str, Any]) -> Iterator[Block]:
    if len(labels) == _LABELS.get(kind, 0):
        yield Block(folder, kind, labels, body)
    else:
        for label, inside in body.items():
            yield from _labelled(folder, kind, (*labels, label), inside)
