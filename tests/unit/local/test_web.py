"""Building the console: only when its sources changed."""

import shutil
from pathlib import Path

import pytest

from scripts.local import web
from scripts.packaging.sbom import FILE


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """A console whose npm writes one file, and what npm was asked for."""
    calls: list[str] = []

    def install(*, with_tests: bool) -> None:
        calls.append(f"install {with_tests}")
        (web.WEB / "node_modules").mkdir(exist_ok=True)

    def build() -> Path:
        calls.append("build")
        web.DIST.mkdir(exist_ok=True)
        (web.DIST / FILE).touch()
        return web.DIST

    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "main.tsx").write_text("1")
    (tmp_path / "package-lock.json").write_text("{}")
    monkeypatch.setattr(web, "WEB", tmp_path)
    monkeypatch.setattr(web, "DIST", tmp_path / "dist")
    monkeypatch.setattr(web, "install", install)
    monkeypatch.setattr(web, "build", build)
    return calls


def test_nothing_is_built_twice(builds: list[str]) -> None:
    assert web.ensure_built() == web.ensure_built()

    assert builds == ["install False", "build"]


def test_changed_sources_are_built_and_installed_tools_kept(builds: list[str]) -> None:
    web.ensure_built()
    (web.WEB / "src" / "main.tsx").write_text("2")

    web.ensure_built()

    assert builds == ["install False", "build", "build"]


def test_a_changed_lock_file_is_installed(builds: list[str]) -> None:
    web.ensure_built()
    (web.WEB / "package-lock.json").write_text("{ }")

    web.ensure_built()

    assert builds == ["install False", "build"] * 2


def test_a_removed_build_is_built_again(builds: list[str]) -> None:
    shutil.rmtree(web.ensure_built())

    web.ensure_built()

    assert builds == ["install False", "build", "build"]


def test_generated_types_are_no_source(builds: list[str]) -> None:
    web.ensure_built()
    (web.WEB / "src" / "schema.d.ts").write_text("types")

    web.ensure_built()

    assert builds == ["install False", "build"]
