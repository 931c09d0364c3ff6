"""The OpenAPI document of the HTTP API, which describes all its functions: written by `make schemas`."""

from functools import cache
from pathlib import Path
from typing import Final

from services.analytics.api.routes import DOCUMENT_PATH

PATH: Final = DOCUMENT_PATH
FILE: Final = Path(__file__).with_name("openapi.json")


@cache
def text() -> str:
    return FILE.read_text(encoding="utf-8")
