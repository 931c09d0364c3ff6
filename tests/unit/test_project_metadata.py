"""pyproject.toml, CHANGELOG.md and the version agree with each other."""

import re
import tomllib

from scripts.common.project_files import CHECKOUT
from services.version import __version__

PYPROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))


def test_the_version_stands_in_one_file() -> None:
    assert PYPROJECT["project"]["dynamic"] == ["version"]
    assert "version" not in PYPROJECT["project"]
    assert PYPROJECT["tool"]["hatch"]["version"]["path"] == "services/version.py"
    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)


def test_an_installed_command_line_has_everything_that_the_functions_import() -> None:
    assert set(PYPROJECT["dependency-groups"]["lambda"]) < set(PYPROJECT["project"]["dependencies"])


def test_what_a_wheel_copies_exists() -> None:
    for source in PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]:
        assert (CHECKOUT / source).exists()


def test_the_packages_say_that_they_are_typed() -> None:
    for package in PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]:
        assert (CHECKOUT / package / "py.typed").is_file()
