"""Decides the encoding of a file, and rewrites it as UTF-8 with plain line ends."""

import codecs
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from services.datasets.domain import MAX_BYTES, MAX_LINE, FileRefusedError, Guess

_CHUNK: Final = 1 << 20
_HEAD: Final = 4096
_UTF8: Final = "utf-8"
_WESTERN: Final = "cp1252"
_MARKS: Final = ((codecs.BOM_UTF8, _UTF8), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_NOT_TEXT: Final = (
    (b"PK\x03\x04", "a ZIP archive or a workbook", "unpack it, or save the sheet as CSV"),
    (b"\x1f\x8b", "compressed with gzip", "unpack it"),
    (b"BZh", "compressed with bzip2", "unpack it"),
    (b"\xfd7zXZ", "compressed with xz", "unpack it"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd", "unpack it"),
    (b"PAR1", "a Parquet file", "save it as CSV"),
    (b"%PDF", "a PDF document", "save its table as CSV"),
    (b"\xd0\xcf\x11\xe0", "an old workbook", "save the sheet as CSV"),
)


def require_text(path: Path, max_bytes: int = MAX_BYTES) -> None:
    """Refuse what is too large, empty or no text, before anything reads it whole."""
    size = path.stat().st_size
    if size > max_bytes:
        raise FileRefusedError(f"the file has {size:,} bytes, over the limit of {max_bytes:,}; split it")
    with path.open("rb") as file:
        head = file.read(_HEAD)
    for magic, kind, advice in _NOT_TEXT:
        if head.startswith(magic):
            raise FileRefusedError(f"the file is {kind}; {advice}")
    if not head.strip():
        raise FileRefusedError("the file is empty; nothing can be loaded from it")


def detect_encoding(path: Path) -> Guess:
    """Return the encoding: a byte order mark decides, then strict UTF-8, then Windows-1252 as a guess."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return Guess(
                subject="encoding", value=encoding, reason="the file begins with its byte order mark"
            )
    if head.count(0) * 10 > len(head):
        raise FileRefusedError(
            "the file holds many NUL bytes: it is no text, or UTF-16 without a mark;"
            " give its encoding, such as utf-16-le"
        )
    fault = _first_fault(path, _UTF8)
    if fault is None:
        return Guess(subject="encoding", value=_UTF8, reason="every byte is valid UTF-8")
    line, byte, characters = fault
    found = f"byte 0x{byte:02X} in line {line} is not UTF-8"
    if characters:
        raise FileRefusedError(
            f"{found}, while {characters} characters before it are;"
            " correct that line, or give the file's encoding"
        )
    if _first_fault(path, _WESTERN) is not None:
        raise FileRefusedError(f"{found}, and the file is not Windows-1252 either; give its encoding")
    return Guess(
        subject="encoding", value=_WESTERN, reason=f"{found}; a guess: compare accents in the sample"
    )


def _first_fault(path: Path, encoding: str) -> tuple[int, int, int] | None:
    """Return line and value of the first undecodable byte, and how many before it are beyond ASCII."""
    decoder = codecs.getincrementaldecoder(encoding)()
    line, characters = 1, 0
    for chunk, is_last in _chunks(path):
        pending = decoder.getstate()[0]
        try:
            text = decoder.decode(chunk, final=is_last)
        except UnicodeDecodeError as error:
            valid = (pending + chunk)[: error.start]
            known = valid.decode(encoding)
            lines = line + valid.count(b"\n")
            return lines, error.object[error.start], characters + _beyond_ascii(known)
        line += chunk.count(b"\n")
        characters += _beyond_ascii(text)
    return None


def _beyond_ascii(text: str) -> int:
    return 0 if text.isascii() else sum(char > "\x7f" for char in text)


def _chunks(path: Path) -> Iterator[tuple[bytes, bool]]:
    with path.open("rb") as file:
        chunk = file.read(_CHUNK)
        while chunk:
            following = file.read(_CHUNK)
            yield chunk, not following
            chunk = following


def text_codec(encoding: str) -> str:
    """Return the codec that also takes a byte order mark away."""
    return "utf-8-sig" if encoding == _UTF8 else encoding


def rewrite(source: Path, target: Path, encoding: str) -> None:
    """Write the text as UTF-8, with every line end as a line feed."""
    try:
        with (
            source.open(encoding=text_codec(encoding), newline=None) as read,
            target.open("w", encoding=_UTF8, newline="") as write,
        ):
            length, line = 0, 1
            while text := read.read(_CHUNK):
                for at, part in enumerate(text.split("\n")):
                    length, line = (0, line + 1) if at else (length, line)
                    length += len(part)
                    if length > MAX_LINE:
                        raise FileRefusedError(
                            f"line {line} has more than {MAX_LINE:,} characters; the file is no table of rows"
                        )
                write.write(text)
    except UnicodeError as error:
        raise FileRefusedError(f"the file is not {encoding}; give its encoding") from error
