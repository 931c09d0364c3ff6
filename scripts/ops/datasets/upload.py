"""Sends a file by a signed form, and follows its load."""

import secrets
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from scripts.common.errors import ToolError
from scripts.ops.api_client import ApiClient

SETTLED: Final = frozenset({"ready", "unchanged", "failed", "replaced"})
_PIECE: Final = 1 << 18
_TIMEOUT_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.5


def send_file(url: str, fields: Mapping[str, str], file: Path, sent: Callable[[int], object]) -> None:
    """Post the form's fields and the file; report how many bytes of the file are sent."""
    boundary = secrets.token_hex(16)
    before = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    # S3 takes no field behind the file, and ignores its name.
    before += f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="file"\r\n\r\n'
    after = f"\r\n--{boundary}--\r\n"
    length = len(before.encode()) + file.stat().st_size + len(after.encode())
    request = urllib.request.Request(  # noqa: S310 - the API chose it
        url,
        _pieces(before.encode(), file, after.encode(), sent),
        {"Content-Type": f"multipart/form-data; boundary={boundary}", "Content-Length": str(length)},
        method="POST",
    )
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS):  # noqa: S310 - the API chose it
            return
    except urllib.error.HTTPError as error:
        with error:
            text = " ".join(error.read(2_000).decode(errors="replace").split())
        raise ToolError(f"the file was not accepted (HTTP status {error.code}): {text[:300]}") from error
    except (urllib.error.URLError, ConnectionError, TimeoutError) as error:
        raise ToolError(f"the upload broke off: {error}; run the command again.") from error


def _pieces(before: bytes, file: Path, after: bytes, sent: Callable[[int], object]) -> Iterator[bytes]:
    yield before
    done = 0
    with file.open("rb") as content:
        while piece := content.read(_PIECE):
            yield piece
            done += len(piece)
            sent(done)
    yield after


def follow(
    api: ApiClient,
    dataset_id: str,
    load_id: int,
    until: Collection[str],
    progress: Callable[[Mapping[str, Any]], object] = lambda _load: None,
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Wait until the load is in one of these states; return the dataset and the load."""
    while True:
        dataset = api.call("GET", f"/api/datasets/{dataset_id}")
        load = next((it for it in dataset["loads"] if it["loadId"] == load_id), None)
        if load is None:
            raise ToolError(f"load {load_id} is not among the last ones of {dataset_id} any more.")
        progress(load)
        if load["state"] in until:
            return dataset, load
        time.sleep(_POLL_SECONDS)
