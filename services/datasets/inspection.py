"""Looks at a file: proposes how to read it, with each guess and its reason."""

import tempfile
from pathlib import Path
from typing import Final

from services.datasets.dialect import detect_dialect, detect_layout, header_of
from services.datasets.domain import ENCODINGS, FileRefusedError, Guess, Inspection, Recipe
from services.datasets.encoding import detect_encoding, require_text, rewrite
from services.datasets.engine import open_rows
from services.datasets.loading import copy_rows

_SAMPLE_ROWS: Final = 20


def inspect(path: Path, *, encoding: str | None = None) -> Inspection:
    """Propose a recipe for this file; types are judged by all of its rows."""
    require_text(path)
    if encoding is not None and encoding not in ENCODINGS:
        raise FileRefusedError(f"unknown encoding {encoding}; choose one of {', '.join(ENCODINGS)}")
    chosen = (
        Guess(subject="encoding", value=encoding, reason="it was given")
        if encoding
        else detect_encoding(path)
    )
    with tempfile.TemporaryDirectory(prefix="pulsequeue-dataset-") as scratch:
        folder = Path(scratch)
        text = folder / "text"
        rewrite(path, text, chosen.value)
        dialect, delimiter = detect_dialect(text)
        layout = detect_layout(text, dialect)
        first = layout.skip_lines
        if layout.header:
            first = header_of(text, dialect, layout.skip_lines, len(layout.names))[1]
        rows_only = folder / "rows"
        copy_rows(text, rows_only, first)
        with open_rows(folder, len(layout.names)) as rows:
            rows.read(rows_only, dialect)
            proposals = rows.propose(layout.names)
            sample = rows.sample(_SAMPLE_ROWS)
    recipe = Recipe(
        encoding=chosen.value,
        delimiter=dialect.delimiter,
        quote=dialect.quote,
        escape=dialect.escape,
        skip_lines=layout.skip_lines,
        header=layout.header,
        columns=tuple(column for column, _ in proposals),
    )
    guesses = (chosen, delimiter, *layout.guesses, *(guess for _, guess in proposals))
    return Inspection(recipe=recipe, guesses=guesses, sample=sample)
