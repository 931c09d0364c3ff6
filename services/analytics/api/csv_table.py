"""The rows of a response as CSV (RFC 4180), with the columns of their model.

A nested object has a column for each of its members (`amount.currency`); an entry of a nested list has a line
of its own, beside the columns of its row. Cells without a value are empty, also those that were withheld.
"""

import csv
from collections.abc import Iterable, Mapping
from inspect import get_annotations
from io import StringIO
from types import UnionType
from typing import Any, Final, Union, get_args, get_origin

from pydantic.alias_generators import to_camel

from services.shared.http.responses import ResponseModel

MEDIA_TYPE: Final = "text/csv"
CONTENT_TYPE: Final = "text/csv; charset=utf-8; header=present"
MAX_ROWS: Final = 4_000
"""Per response: with the longest ids and names these are below the 6 MB that Lambda returns."""

_RUN_BY_SPREADSHEETS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


def row_model(model: type[ResponseModel], rows: str) -> type[ResponseModel]:
    """Return the model of the entries of a response's list."""
    nested = _nested(model.model_fields[rows].annotation)
    if nested is None:
        raise TypeError(f"{model.__name__}.{rows} is no list of rows")
    return nested


def text(model: type[ResponseModel], rows: Iterable[ResponseModel]) -> str:
    """Return a header and the lines of the rows, all of one model."""
    out = StringIO()
    writer = csv.DictWriter(out, _names(model), restval="", lineterminator="\r\n")
    writer.writeheader()
    for row in rows:
        writer.writerows(_lines(model, row.model_dump(mode="json")))
    return out.getvalue()


def _names(model: type[ResponseModel]) -> list[str]:
    names: list[str] = []
    for name, nested in _fields(model):
        names += [f"{name}.{inner}" for inner in _names(nested)] if nested else [name]
    return names


def _lines(model: type[ResponseModel], row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Flatten a row; a nested list makes a line of each of its entries."""
    lines: list[dict[str, Any]] = [{}]
    for name, nested in _fields(model):
        variants = _variants(name, nested, row[name]) if nested else [{name: _escaped(row[name])}]
        lines = [{**line, **variant} for line in lines for variant in variants]
    return lines


def _variants(name: str, nested: type[ResponseModel], value: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - JSON
    entries = value if isinstance(value, list) else [] if value is None else [value]
    variants = [
        {f"{name}.{inner}": cell for inner, cell in line.items()}
        for entry in entries
        for line in _lines(nested, entry)
    ]
    return variants or [{}]


def _escaped(value: object) -> object:
    """Keep a spreadsheet from running text that begins like a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_RUN_BY_SPREADSHEETS) else value


def _fields(model: type[ResponseModel]) -> list[tuple[str, type[ResponseModel] | None]]:
    """Return the names of the members, each with the model of what is nested in it."""
    own = get_annotations(model)
    # What names a row, such as its region, before the numbers that many models inherit.
    fields = sorted(model.model_fields.items(), key=lambda field: field[0] not in own)
    # The aliases that a model generates are there only once it was used.
    return [(it.alias or to_camel(name), _nested(it.annotation)) for name, it in fields]


def _nested(annotation: Any) -> type[ResponseModel] | None:  # noqa: ANN401 - any annotation
    """Return the model of an object or of a list's entries; None for a plain value."""
    if get_origin(annotation) in {list, Union, UnionType}:
        return next((found for it in get_args(annotation) if (found := _nested(it))), None)
    return annotation if isinstance(annotation, type) and issubclass(annotation, ResponseModel) else None
