"""The console's tools, installed once, and its build."""

import hashlib
from pathlib import Path

import pytest

from scripts.common.errors import ToolError
from scripts.local import web


@pytest.fixture(scope="session")
def installed() -> None:
    lock = hashlib.sha256((web.WEB / "package-lock.json").read_bytes()).hexdigest()
    stamp = web.WEB / "node_modules/.installed-with-tests"
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != lock:
        try:
            web.install(with_tests=True)
        except ToolError as error:  # one line, without the traceback of each test
            pytest.fail(f"the tests of the console need its packages: {error}", pytrace=False)
        stamp.write_text(lock, encoding="utf-8")
    web.script("types")


@pytest.fixture(scope="session")
def built(installed: None) -> Path:  # noqa: ARG001  # installing comes first
    return web.build()
