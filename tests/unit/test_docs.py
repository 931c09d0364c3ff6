"""The documentation names what exists: pages, headings, files, commands and options, make targets, tests."""

import json
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import Any, Final

import pytest
import typer.main
from typer.core import TyperGroup
from typer.exceptions import TyperException

from scripts.cli.main import app

ROOT: Final = Path(__file__).parents[2]
GENERATED: Final = {"build", "node_modules", "test-results"}
WRITTEN_LATER: Final = ("benchmarks/results/", "infra/providers.lock.hcl")
"""What a command writes, and is not committed here."""
PAGES: Final = sorted(
    path.relative_to(ROOT)
    for path in ROOT.rglob("*.md")
    if not any(part in GENERATED or part.startswith(".") for part in path.relative_to(ROOT).parts)
)
COMMANDS: Final = typer.main.get_command(app)
MAKEFILE: Final = (ROOT / "Makefile").read_text(encoding="utf-8")

_BLOCK = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)
_PULSEQUEUE = re.compile(r"(?:(?<![\w./=-])|(?<=\.venv/bin/))pulsequeue +([^\n]*)")
_MAKE = re.compile(r"(?:^|[(&;`] *)make +([a-z-]+)((?: +[A-Z_]+=\S*)*)", re.MULTILINE)
_PATH = re.compile(r"(?:services|scripts|tests|docs|infra|monitoring|benchmarks)/[\w./-]+")
_MODULE = re.compile(r"[\w/]+\.py")
_TEST = re.compile(r"test_\w+")
_END_OF_COMMAND = {"|", ";", "&&", "||", "&", ">", ">>", "<", ")", "#"}


@dataclass(frozen=True)
class Command:
    """A `pulsequeue` command line as a page shows it; one in prose may leave its arguments out."""

    text: str
    complete: bool


def text_of(page: Path) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def prose_of(text: str) -> str:
    return _BLOCK.sub("", text)


def shell_of(text: str) -> str:
    """Return the shell blocks of a page, with continued lines joined."""
    blocks = (it["text"] for it in _BLOCK.finditer(text) if it["language"] in {"", "sh"})
    return re.sub(r"\\\n", " ", "\n".join(blocks))


def inline_code_of(text: str) -> list[str]:
    return _INLINE.findall(prose_of(text))


def relative_links_of(text: str) -> list[str]:
    targets = _LINK.findall(_INLINE.sub("code", prose_of(text)))
    return [it for it in targets if not re.match(r"[a-z]+:", it)]


def broken_links(page: Path, text: str) -> Iterator[str]:
    for target in relative_links_of(text):
        path, _, anchor = target.partition("#")
        linked = (ROOT / page.parent / path).resolve() if path else ROOT / page
        if not linked.exists() or not linked.is_relative_to(ROOT):
            yield f"{target}: no such file"
        elif anchor and anchor not in anchors_of(linked):
            yield f"{target}: no such heading"


@cache
def anchors_of(page: Path) -> frozenset[str]:
    """Return the anchors that GitHub gives to the headings of a page."""
    if page.suffix != ".md":
        return frozenset()
    anchors: list[str] = []
    for heading in _HEADING.findall(prose_of(page.read_text(encoding="utf-8"))):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        anchor = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        repeated = anchors.count(anchor)
        anchors.append(f"{anchor}-{repeated}" if repeated else anchor)
    return frozenset(anchors)


def commands_of(text: str) -> Iterator[Command]:
    for found in _PULSEQUEUE.findall(shell_of(text)):
        yield Command(found, complete=True)
    for code in inline_code_of(text):
        for found in _PULSEQUEUE.findall(code):
            yield Command(found, complete=False)


def words_of(command: str) -> Sequence[str]:
    """Split a command line as a shell does, up to a comment, a pipe, or the end of a substitution."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars="|;&<>()#")
    lexer.commenters = ""
    lexer.whitespace_split = True
    return list(takewhile(lambda word: word not in _END_OF_COMMAND, lexer))


def usage_error(command: Command) -> str | None:
    """Parse a command line with the real command tree, without running it; return why it is refused."""
    try:
        words = words_of(command.text)
        if words == ["COMMAND", "--help"]:
            return None
        context: Any = COMMANDS.make_context("pulsequeue", [*words])
        while isinstance(context.command, TyperGroup):
            rest = [*context._protected_args, *context.args]  # noqa: SLF001 - where a group keeps its subcommand
            name, found, rest = context.command.resolve_command(context, rest)
            assert found is not None
            context = found.make_context(name, rest, parent=context)
    except typer.Exit:
        return None
    except TyperException as error:
        message = error.format_message()
        return message if command.complete or not message.startswith(("Missing ", "Usage: ")) else None
    except ValueError as error:
        return str(error)
    return None


def make_errors(text: str) -> Iterator[str]:
    code = "\n".join([shell_of(text), *inline_code_of(text)])
    for target, settings in _MAKE.findall(code):
        if f"\n{target}: " not in MAKEFILE:
            yield f"make {target}: no such target"
        for name in re.findall(r"([A-Z_]+)=", settings):
            if f"$({name})" not in MAKEFILE and f"$({name})," not in MAKEFILE:
                yield f"make {target} {name}=: no such setting"


@cache
def known_modules() -> frozenset[str]:
    sources = ("services", "scripts", "benchmarks", "tests")
    return frozenset(
        it.relative_to(ROOT).as_posix() for name in sources for it in (ROOT / name).rglob("*.py")
    )


@cache
def known_tests() -> frozenset[str]:
    """Return the names of all tests and test modules."""
    modules = [*(ROOT / "tests").rglob("*.py")]
    functions = (re.findall(r"def (test_\w+)", it.read_text(encoding="utf-8")) for it in modules)
    return frozenset({it.stem for it in modules}.union(*functions))


@pytest.mark.parametrize("page", PAGES, ids=Path.as_posix)
def test_every_relative_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    assert list(broken_links(page, text_of(page))) == []


@pytest.mark.parametrize("page", PAGES, ids=Path.as_posix)
def test_every_command_exists_with_its_options(page: Path) -> None:
    errors = {it.text: usage_error(it) for it in commands_of(text_of(page))}

    assert {text: error for text, error in errors.items() if error} == {}


@pytest.mark.parametrize("page", PAGES, ids=Path.as_posix)
def test_every_make_target_exists_with_its_settings(page: Path) -> None:
    assert list(make_errors(text_of(page))) == []


@pytest.mark.parametrize("page", PAGES, ids=Path.as_posix)
def test_every_named_file_of_the_repository_exists(page: Path) -> None:
    named = [
        it for it in inline_code_of(text_of(page)) if _PATH.fullmatch(it) and not it.startswith(WRITTEN_LATER)
    ]

    assert [it for it in named if not (ROOT / it).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=Path.as_posix)
def test_every_named_module_exists(page: Path) -> None:
    named = [it for it in inline_code_of(text_of(page)) if _MODULE.fullmatch(it)]

    assert [
        it for it in named if not any(f"/{module}".endswith(f"/{it}") for module in known_modules())
    ] == []


@pytest.mark.parametrize("page", PAGES, ids=Path.as_posix)
def test_every_named_test_exists(page: Path) -> None:
    named = [
        it.removesuffix(".py")
        for it in inline_code_of(text_of(page))
        if _TEST.fullmatch(it.removesuffix(".py"))
    ]

    assert sorted(set(named) - known_tests()) == []


def test_the_index_leads_on_to_every_page() -> None:
    reached, open_pages = set[Path](), [Path("docs/index.md")]
    while open_pages:
        page = open_pages.pop()
        reached.add(page)
        for target in relative_links_of(text_of(page)):
            linked = (ROOT / page.parent / target.partition("#")[0]).resolve().relative_to(ROOT)
            if linked in PAGES and linked not in reached:
                open_pages.append(linked)

    assert [it.as_posix() for it in PAGES if it not in reached] == []


def test_the_readme_shows_the_outcome_of_every_sample_order() -> None:
    samples = json.loads((ROOT / "scripts/data/sample-orders.json").read_text(encoding="utf-8"))
    (table,) = (it["text"] for it in _BLOCK.finditer(text_of(Path("README.md"))) if it["language"] == "text")

    for sample in samples:
        reason = sample["expect"].get("reason")
        outcome = sample["expect"]["status"] + (f" ({reason})" if reason else "")
        assert re.search(
            rf"^sample-{sample['kind']}-\w+ +{re.escape(outcome)} +as expected$", table, re.MULTILINE
        ), sample["kind"]


@pytest.mark.parametrize(
    ("target", "reason"),
    [("no-such.md", "file"), ("deploy.md#no-such-heading", "heading"), ("../../outside.md", "file")],
)
def test_a_broken_link_is_noticed(target: str, reason: str) -> None:
    assert list(broken_links(Path("docs/index.md"), f"see [this]({target})")) == [
        f"{target}: no such {reason}"
    ]


@pytest.mark.parametrize(
    "command",
    [
        "pulsequeue no-such",
        "pulsequeue audit --no-such",
        "pulsequeue dlq no-such",
        "pulsequeue publish --rate x",
    ],
)
@pytest.mark.parametrize(
    "page", ["run `{}` now", "```sh\n{} # now\n```\n", "```sh\necho 1 |\n  {} | jq .\n```\n"]
)
def test_a_wrong_command_is_noticed(command: str, page: str) -> None:
    (found,) = commands_of(page.format(command))

    assert usage_error(found)


def test_only_prose_may_leave_arguments_out() -> None:
    (in_prose,) = commands_of("run `pulsequeue order show` now")
    (in_block,) = commands_of("```sh\npulsequeue order show\n```\n")

    assert usage_error(in_prose) is None
    assert usage_error(in_block)


@pytest.mark.parametrize("command", ["make no-such", "make up NO_SUCH=1"])
def test_a_wrong_make_target_or_setting_is_noticed(command: str) -> None:
    assert list(make_errors(f"run `{command}` now"))
    assert list(make_errors(f"```sh\n{command}\n```\n"))
