"""The lock of the providers is kept once, compared afterwards, and obeyed by `init`."""

from pathlib import Path

import pytest

from scripts.common.errors import ToolError
from scripts.deploy.provider_lock import FILE_NAME, check, place


def test_the_first_lock_is_kept(tmp_path: Path) -> None:
    lock = tmp_path / "providers.lock.hcl"

    assert "commit it" in check("checksums", lock)
    assert lock.read_text() == "checksums"


def test_a_lock_like_the_kept_one_is_fine(tmp_path: Path) -> None:
    lock = tmp_path / "providers.lock.hcl"
    lock.write_text("checksums")

    assert check("checksums", lock).endswith("is the registry's.")


def test_another_lock_is_refused_and_not_kept(tmp_path: Path) -> None:
    lock = tmp_path / "providers.lock.hcl"
    lock.write_text("checksums")

    with pytest.raises(ToolError, match="is not what the registry has"):
        check("others", lock)
    assert lock.read_text() == "checksums"


def test_init_obeys_the_kept_lock(tmp_path: Path) -> None:
    lock, root = tmp_path / "providers.lock.hcl", tmp_path / "dev"
    lock.write_text("checksums")
    root.mkdir()

    assert place(root, lock) == ["-lockfile=readonly"]
    assert (root / FILE_NAME).read_text() == "checksums"


def test_without_a_lock_init_is_as_before(tmp_path: Path) -> None:
    assert place(tmp_path, tmp_path / "none") == []
    assert not list(tmp_path.iterdir())
