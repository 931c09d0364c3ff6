"""A connection that records the plan of every statement it executes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row


@dataclass(frozen=True)
class Node:
    """One step of a plan."""

    kind: str
    table: str | None
    index: str | None
    rows: int | None
    """How many it found, if it was run."""
    dropped: int
    """How many it found and had to throw away."""
    below: tuple["Node", ...]

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        return cls(
            kind=values["Node Type"],
            table=values.get("Relation Name"),
            index=values.get("Index Name") or " ".join(values.get("Conflict Arbiter Indexes", ())) or None,
            rows=values.get("Actual Rows"),
            dropped=values.get("Rows Removed by Filter", 0),
            below=tuple(map(cls.of, values.get("Plans", ()))),
        )

    def walk(self) -> Iterator["Node"]:
        yield self
        for node in self.below:
            yield from node.walk()

    def shape(self, depth: int = 0) -> str:
        about = " ".join(filter(None, (self.kind, self.table and f"on {self.table}", self.index)))
        return "".join([f"{'  ' * depth}{about}\n", *(node.shape(depth + 1) for node in self.below)])


@dataclass
class Plans:
    run: bool = False
    """Whether statements that only read are run for their plan, so that it has numbers of rows."""
    recorded: list[Node] = field(default_factory=list)

    def of(self, connection: "psycopg.Connection[Any]", query: Any, values: Any) -> None:  # noqa: ANN401 - psycopg's own
        text = query if isinstance(query, bytes) else _bytes(query, connection)
        words = set(text.upper().split())
        if not words & _READING_OR_WRITING or b"set_config" in text:
            return
        run = self.run and not words & _WRITING
        options = b"ANALYZE, TIMING OFF, FORMAT JSON" if run else b"FORMAT JSON"
        plain = psycopg.Cursor(connection, row_factory=tuple_row)
        [[values]] = plain.execute(b"EXPLAIN (" + options + b") " + text, values)
        self.recorded.append(Node.of(values[0]["Plan"]))


_WRITING: Final = {b"INSERT", b"UPDATE", b"DELETE"}
_READING_OR_WRITING: Final = {b"SELECT", *_WRITING}


def _bytes(query: Any, connection: "psycopg.Connection[Any]") -> bytes:  # noqa: ANN401 - psycopg's own
    return query.as_bytes(connection) if isinstance(query, sql.Composable) else str(query).encode()


def explaining(plans: Plans) -> type["psycopg.Cursor[Any]"]:
    """Make the kind of cursor that adds to these plans."""

    class Explaining(psycopg.Cursor[Any]):
        def execute(self, query: Any, params: Any = None, **how: Any) -> Self:  # noqa: ANN401 - psycopg's own
            plans.of(self.connection, query, params)
            return super().execute(query, params, **how)

    return Explaining
