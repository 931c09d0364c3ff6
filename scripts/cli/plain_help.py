"""Help pages and usage errors in plain words: without types, braces and inequalities."""

import re
from typing import Any

import typer
from typer.core import TyperCommand

_RANGES = (
    (re.compile(r"([\d.]+)<=x<=([\d.]+)"), r"\1 to \2"),
    (re.compile(r"x>=([\d.]+)"), r"at least \1"),
    (re.compile(r"x<=([\d.]+)"), r"at most \1"),
)


class PlainCommand(TyperCommand):
    def collect_usage_pieces(self, ctx: Any) -> list[str]:  # noqa: ANN401 - typer's own context has no public name
        arguments = [it for it in self.get_params(ctx) if it.param_type_name == "argument"]
        return ["[OPTIONS]", *(f"{it.metavar}" if it.required else f"[{it.metavar}]" for it in arguments)]

    def format_options(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401 - as above
        arguments, options = [], []
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is None:  # a hidden one
                continue
            name, text = record
            if parameter.param_type_name == "argument":
                arguments.append((f"{parameter.metavar}", _in_words(text)))
            else:
                options.append((name, _in_words(text)))
        for title, rows in (("Arguments", arguments), ("Options", options)):
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - as above
        try:
            return super().parse_args(ctx, args)
        except typer.BadParameter as error:
            from pydantic import ValidationError

            from scripts.common.json_input import faults

            if isinstance(error.__cause__, ValidationError):
                error.message = "; ".join(faults(error.__cause__))
            raise


def _in_words(text: str) -> str:
    for pattern, words in _RANGES:
        text = pattern.sub(words, text)
    return text
