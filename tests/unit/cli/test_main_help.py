"""Help pages: plain words for every value, examples that exist, and the same ways in everywhere."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import typer.main

from scripts.cli.main import app
from services.version import __version__
from tests.unit.conftest import CommandLine


def leaves(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:  # noqa: ANN401 - typer's own click
    if not hasattr(command, "commands"):
        yield path, command
        return
    for name, inner in command.commands.items():
        yield from leaves(inner, (*path, name))


COMMANDS = dict(leaves(typer.main.get_command(app)))
each_command = pytest.mark.parametrize("path", COMMANDS, ids=" ".join)


@each_command
def test_every_value_has_a_name_in_plain_words(path: tuple[str, ...]) -> None:
    command = COMMANDS[path]
    unnamed = [
        option.name
        for option in command.params
        if not option.metavar and not getattr(option, "is_flag", False) and option.name != "help"
    ]

    assert unnamed == []


@each_command
def test_every_command_takes_env_and_json(path: tuple[str, ...]) -> None:
    options = {name for option in COMMANDS[path].params for name in option.opts}

    assert {"--env", "--json"} <= options


@each_command
@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_ends_with_examples_that_exist(
    pulsequeue: CommandLine, path: tuple[str, ...], flag: str
) -> None:
    ran = pulsequeue(*path, flag)

    assert ran.code == 0
    examples = re.findall(r"^  +pulsequeue (.+)$", ran.out.partition("Examples:")[2], re.MULTILINE)
    assert examples, ran.out
    known = {name for option in COMMANDS[path].params for name in (*option.opts, *option.secondary_opts)}
    for example in examples:
        words = example.split()
        assert tuple(words[: len(path)]) == path
        assert {word for word in words if word.startswith("--")} <= known, example
    assert max(map(len, ran.out.splitlines())) <= 80


@each_command
def test_help_speaks_of_no_types_and_inequalities(pulsequeue: CommandLine, path: tuple[str, ...]) -> None:
    ran = pulsequeue(*path, "--help")

    text = " ".join(ran.out.split())
    assert re.findall(r"<str>|<int>|<float>|<bool>|x ?<=|<= ?x|x ?>=|[{}]|\[\[", text) == []


def test_arguments_and_ranges_have_plain_names(pulsequeue: CommandLine) -> None:
    published, shown = pulsequeue("publish", "--help").out, pulsequeue("dlq", "show", "--help").out

    assert published.startswith("Usage: pulsequeue publish [OPTIONS] [FILE]\n")
    assert "\n  FILE  JSON: an order" in published
    assert "[1 to 1000000]" in " ".join(published.split())
    assert "[default: 60.0; at least 0]" in published
    assert shown.startswith("Usage: pulsequeue dlq show [OPTIONS] FUNCTION ID\n")


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("publish --count abc", "'--count': must be a whole number"),
        ("publish --count 1.5", "'--count': must be a whole number"),
        ("publish --count 0", "'--count': must be at least 1"),
        ("order ls --limit 20000", "'--limit': must be at most 10000"),
        ("replay --from 1h --rate x", "'--rate': must be a number"),
        ("inventory adjust prod-001 x", "'DELTA': must be a whole number"),
    ],
)
def test_a_wrong_number_is_refused_in_plain_words(pulsequeue: CommandLine, line: str, complaint: str) -> None:
    ran = pulsequeue(*line.split())

    assert (ran.code, ran.out) == (2, "")
    assert ran.err.endswith(f"Invalid value for {complaint}\n")


def test_the_version_is_printed(pulsequeue: CommandLine) -> None:
    assert pulsequeue("--version").out == f"pulsequeue {__version__}\n"


def test_a_shell_is_offered_the_commands(pulsequeue: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_PULSEQUEUE_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "pulsequeue inv")
    monkeypatch.setenv("COMP_CWORD", "1")

    assert pulsequeue().out.split() == ["inventory"]


@pytest.mark.parametrize("name", ["", "Prod", "prod ", "../x"])
def test_a_name_that_no_environment_has_is_refused(pulsequeue: CommandLine, name: str) -> None:
    for arguments in (("--env", name, "inventory", "ls"), ("inventory", "ls", "--env", name)):
        ran = pulsequeue(*arguments)

        assert (ran.code, ran.out) == (2, "")
        assert f"{name!r} is not the name of an environment" in ran.err


@pytest.mark.parametrize("arguments", [("db", "seed"), ("up",), ("down",), ("monitoring", "up")])
@pytest.mark.parametrize("before", [True, False])
def test_a_command_of_the_local_stack_refuses_another_environment(
    pulsequeue: CommandLine, arguments: tuple[str, ...], before: bool
) -> None:
    env = ("--env", "prod")

    ran = pulsequeue(*env, *arguments) if before else pulsequeue(*arguments, *env)

    assert (ran.code, ran.out) == (2, "")
    assert f"`pulsequeue {' '.join(arguments)}` works with the local stack only, not with 'prod'" in ran.err
