"""Files as people send them, each with what must become of it."""

import gzip
import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Loads:
    """All rows are loaded but those of `rejects`: line, column and reason of each fault."""

    loaded: int
    types: Sequence[str]
    first: Sequence[Any] | None = None
    rejects: Sequence[tuple[int, str, str]] = ()
    questions: Sequence[str] = ()
    """Columns that the person has to decide; the test answers dmy and a decimal point."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing is loaded, and the reason says this."""

    because: str


@dataclass(frozen=True, slots=True)
class Messy:
    name: str
    content: bytes = field(repr=False)
    outcome: Loads | Refused


def _zip(content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.csv", content)
    return file.getvalue()


def _text(name: str, text: str, outcome: Loads | Refused, encoding: str = "utf-8") -> Messy:
    return Messy(name, text.encode(encoding), outcome)


_TWO: Final = ("text", "integer")
_TEN_DATES: Final = "".join(f"{day:02}/01/2026\n" for day in range(11, 21))

MESSY: Final = (
    # encodings
    _text("plain", "name,n\nann,1\nbob,2\n", Loads(2, _TWO, ("ann", 1))),
    _text("byte order mark", "name,n\nann,1\n", Loads(1, _TWO, ("ann", 1)), "utf-8-sig"),
    _text("UTF-16 with its mark", "name,n\nzoë,1\n", Loads(1, _TWO, ("zoë", 1)), "utf-16"),
    _text("UTF-16 without a mark", "name,n\nann,1\n", Refused("give its encoding"), "utf-16-le"),
    _text("Windows-1252", "name,n\nzoë,1\ncafé €,2\n", Loads(2, _TWO, ("zoë", 1)), "cp1252"),
    Messy(
        "one broken byte", "name,n\nzoë,1\n".encode() + b"caf\xe9,2\n", Refused("0xE9 in line 3 is not UTF-8")
    ),
    Messy("neither UTF-8 nor Windows-1252", b"name,n\n\x81\x8d,1\n", Refused("not Windows-1252 either")),
    # line ends
    _text("line ends of Windows", "name,n\r\nann,1\r\nbob,2\r\n", Loads(2, _TWO, ("ann", 1))),
    _text("line ends of old Macs", "name,n\rann,1\rbob,2\r", Loads(2, _TWO, ("ann", 1))),
    _text(
        "mixed line ends",
        "name,n\r\nann,1\nbob,2\rcid,x\neve,4\n" + "f,1\n" * 9,
        Loads(12, _TWO, ("ann", 1), [(4, "n", "not an integer")]),
    ),
    _text("no last line end", "name,n\nann,1\nbob,2", Loads(2, _TWO, ("ann", 1))),
    _text("empty lines between rows", "name,n\n\nann,1\n\n\nbob,2\n\n", Loads(2, _TWO, ("ann", 1))),
    # delimiters
    _text("semicolons", "name;n\nann;1\nbob;2\n", Loads(2, _TWO, ("ann", 1))),
    _text("tabs", "name\tn\nann\t1\nbob\t2\n", Loads(2, _TWO, ("ann", 1))),
    _text("bars", "name|n\nann|1\nbob|2\n", Loads(2, _TWO, ("ann", 1))),
    _text("one column", "name\nann\nbob\n", Loads(2, ("text",), ("ann",))),
    # quotes
    _text("delimiter in quotes", 'name,n\n"ann, b",1\n', Loads(1, _TWO, ("ann, b", 1))),
    _text("doubled quotes", 'name,n\n"ann ""the"" b",1\n', Loads(1, _TWO, ('ann "the" b', 1))),
    _text(
        "line end in quotes",
        'name,n\n"ann\nb",1\ncid,x\n' + "f,1\n" * 9,
        Loads(10, _TWO, ("ann\nb", 1), [(4, "n", "not an integer")]),
    ),
    _text("quote never closed", 'name,n\nann,1\n"bob,2\ncid,3\n', Refused("quote")),
    _text(
        "text behind a closed quote",
        'name,n\nann,1\n"bob"x,2\ncid,3\n',
        Loads(2, _TWO, ("ann", 1), [(3, "", "a quote in the wrong place")]),
    ),
    # shape
    Messy("empty", b"", Refused("the file is empty")),
    Messy("blanks only", b"\n \n\n", Refused("the file is empty")),
    _text("header only", "name,n\n", Loads(0, ("text", "text"))),
    _text("no header", "ann,1\nbob,2\n", Loads(2, _TWO, ("ann", 1))),
    _text(
        "titles above the header",
        "Sales of March\n\nname,n,m\nann,1,2\nbob,2,3\n",
        Loads(2, ("text", "integer", "integer"), ("ann", 1, 2)),
    ),
    _text(
        "ragged rows",
        "name,n,m\nann,1,2\nbob,2\ncid,3,4,5,6\neve,5,6\n",
        Loads(
            2,
            ("text", "integer", "integer"),
            ("ann", 1, 2),
            [(3, "", "too few cells"), (4, "", "too many cells")],
        ),
    ),
    _text("delimiters behind the last cell", "name,n\nann,1,\nbob,2,,\n", Loads(2, _TWO, ("ann", 1))),
    _text(
        "names twice, and none",
        "name,name,\nann,b,1\n",
        Loads(1, ("text", "text", "integer"), ("ann", "b", 1)),
    ),
    _text("10,000 columns", ",".join(f"c{at}" for at in range(10_000)) + "\n", Refused("10,000 columns")),
    Messy("a line without end", b"name,n\n" + b"x" * 1_200_000, Refused("line 2 has more than")),
    Messy(
        "NUL characters",
        b"name,n\nann,1\nb\0b,2\n",
        Loads(1, _TWO, ("ann", 1), [(3, "name", "a NUL character")]),
    ),
    # values
    _text("dates of one order", f"day\n01/02/2026\n{_TEN_DATES}", Loads(11, ("date",), ("2026-02-01",))),
    _text(
        "dates of both orders",
        "day\n01/02/2026\n03/04/2026\n",
        Loads(2, ("date",), ("2026-02-01",), questions=("day",)),
    ),
    _text(
        "dates that contradict each other",
        f"day\n01/13/2026\n{_TEN_DATES}",
        Loads(10, ("date",), ("2026-01-11",), [(2, "day", "not a date")], questions=("day",)),
    ),
    _text(
        "a day that does not exist",
        f"day\n31/02/2026\n{_TEN_DATES}",
        Loads(10, ("date",), ("2026-01-11",), [(2, "day", "not a date")]),
    ),
    _text(
        "times with zones",
        "at\n2026-03-01T10:00:00+02:00\n2026-03-01 10:00\n2026-03-01 10:00:00 +0530\n",
        Loads(3, ("timestamp",), ("2026-03-01 08:00:00",)),
    ),
    _text(
        "thousands and decimal comma",
        "n;x\n1.234,50;a\n12,5;b\n",
        Loads(2, ("number", "text"), (1234.5, "a")),
    ),
    _text(
        "thousands or decimals", 'n\n"1,234"\n"5,678"\n', Loads(2, ("number",), (1234.0,), questions=("n",))
    ),
    _text("percent", "n\n45%\n5.5 %\n", Loads(2, ("number",), (45.0,))),
    _text("currency signs", "n\n€ 1.50\n(2.25)\n3.00 USD\n-$4.00\n", Loads(4, ("number",), (1.5,))),
    _text("postal codes", "zip\n01234\n98765\n", Loads(2, ("text",), ("01234",))),
    _text("zeros and ones", "flag,x\n0,a\n1,b\n", Loads(2, ("integer", "text"), (0, "a"))),
    _text(
        "formulas",
        "n\n" + "1\n" * 10 + "=1+1\n",
        Loads(10, ("integer",), (1,), [(12, "n", "not an integer")]),
    ),
    _text(
        "numbers too long to be exact",
        "n\n" + "1\n" * 10 + "99999999999999999999\n",
        Loads(11, ("text",), ("1",)),
    ),
    # not rows at all
    Messy("zip bomb", _zip(b"0,1\n" * 1_000_000), Refused("a ZIP archive or a workbook")),
    Messy("gzip", gzip.compress(b"name,n\n"), Refused("compressed with gzip")),
    Messy("Parquet", b"PAR1rest", Refused("a Parquet file")),
    Messy("random bytes", bytes(range(256)) * 40, Refused("")),
)


def described(messy: Messy) -> str:
    """Return a row of the table in docs/datasets.md."""
    match messy.outcome:
        case Refused(because):
            outcome = f"refused: {because}" if because else "refused"
        case Loads(loaded, _, _, rejects, questions):
            faults = "".join(f"; line {line} rejected: {reason}" for line, _, reason in rejects[:3])
            more = f"; {len(rejects) - 3} more" if len(rejects) > 3 else ""
            asks = f"; asks about {', '.join(questions)}" if questions else ""
            outcome = f"{loaded:,} loaded{faults}{more}{asks}"
    return f"| {messy.name} | {outcome} |".replace("\n", " ")
