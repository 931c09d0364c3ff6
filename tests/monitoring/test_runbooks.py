"""Runbooks: their commands exist and their links resolve."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from scripts.cli.main import app
from tests.monitoring.rules import RUNBOOKS

PAGES = sorted(RUNBOOKS.glob("*.md"))

a_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


def commands(page: Path) -> Iterator[str]:
    """Find the arguments after `pulsequeue`, up to a comment or the end of the quotation."""
    text = page.read_text(encoding="utf-8")
    for command_line in re.findall(r"(?:^|`)pulsequeue ([^`\n#]+)", text, re.MULTILINE):
        yield command_line.strip()


def options_of(command: Any) -> set[str]:  # noqa: ANN401 - a command of the click that typer brings
    return {option for parameter in command.params for option in parameter.opts}


@a_page
def test_every_command_of_a_page_exists_with_its_options(page: Path) -> None:
    for command_line in commands(page):
        words = command_line.split()
        command: Any = typer.main.get_command(app)  # typer brings a click of its own
        while hasattr(command, "commands"):
            assert words[0] in command.commands, command_line
            command = command.commands[words.pop(0)]

        assert {word for word in words if word.startswith("--")} <= options_of(command), command_line


@a_page
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))

    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_page_is_in_the_index() -> None:
    index = (RUNBOOKS / "README.md").read_text(encoding="utf-8")

    assert [page.name for page in PAGES if f"({page.name})" not in index and page.name != "README.md"] == []
