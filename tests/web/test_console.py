"""The console in web/: its formats and types, its unit tests, its build, and its pages in a real browser."""

import json
import shutil
from pathlib import Path

import pytest

from scripts.common.errors import ToolError
from scripts.local import web

CHROMIUM = Path("/usr/bin/chromium")

pytestmark = pytest.mark.xdist_group("console")


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("name", ["check", "test"])
def test_sources_pass(name: str) -> None:
    web.script(name)


def test_the_lock_file_names_hashes_and_no_addresses() -> None:
    lock = json.loads((web.WEB / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert len(packages) > 100
    assert [name for name, package in packages.items() if "resolved" in package] == []
    assert [
        name for name, package in packages.items() if "integrity" not in package and "link" not in package
    ] == []


@pytest.mark.heavy
def test_the_same_sources_give_the_same_files(built: Path) -> None:
    first = {path.relative_to(built): path.read_bytes() for path in built.rglob("*") if path.is_file()}
    assert Path("index.html") in first
    again = web.build()
    assert {
        path.relative_to(again): path.read_bytes() for path in again.rglob("*") if path.is_file()
    } == first


@pytest.mark.heavy
@pytest.mark.usefixtures("built")
@pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium: apt-get install chromium")
def test_pages_in_a_browser() -> None:
    web.script("browser")


def test_a_registry_that_is_away_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(web.WEB / name, tmp_path)
    monkeypatch.setattr(web, "WEB", tmp_path)
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    with pytest.raises(ToolError, match="npm registry does not answer"):
        web.install(with_tests=False)
