"""What every command shares: the environment, the output, and the OpsContext, opened on first use."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from functools import cached_property, wraps
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Annotated, Any, TextIO, get_type_hints

import typer

from scripts.cli.output import Output

if TYPE_CHECKING:
    from scripts.ops.context import OpsContext

Function = Callable[..., None]
Env = Annotated[
    str | None,
    typer.Option("--env", metavar="ENV", help="Environment: local, dev, prod, or another deployed one."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Tenant = Annotated[str, typer.Option("--tenant", metavar="ID", help="Tenant id.")]
DEFAULT_TENANT = "default"


def _open_ops_context(env: str) -> "OpsContext":
    from scripts.ops.aws_context import open_ops_context

    return open_ops_context(env)


@dataclass(frozen=True)
class Session:
    env: str = "local"
    as_json: bool = False
    opener: Callable[[str], "OpsContext"] = field(default=_open_ops_context, repr=False)
    stdin: TextIO | None = field(default=None, repr=False)
    """Read instead of the process's standard input."""

    @cached_property
    def ops(self) -> "OpsContext":
        return self.opener(self.env)

    @cached_property
    def out(self) -> Output:
        return Output(as_json=self.as_json)

    def with_options(self, env: str | None, *, as_json: bool) -> "Session":
        return replace(self, env=env or self.env, as_json=as_json or self.as_json)


def command(
    app: typer.Typer, name: str | None = None, *, negative_numbers: bool = False
) -> Callable[[Function], Function]:
    """Register a command that takes a Session first; --env and --json are added to its options.

    A parameter whose type is a dataclass stands for a block of options: one per field.
    """

    def register(function: Function) -> Function:
        own = list(signature(function, eval_str=True).parameters.values())[1:]
        blocks: dict[str, type[Any]] = {
            parameter.name: parameter.annotation for parameter in own if _is_block(parameter.annotation)
        }

        @wraps(function)
        def call(context: typer.Context, env: str | None, *, as_json: bool, **given: Any) -> None:  # noqa: ANN401 - typer checked them
            for argument, block in blocks.items():
                given[argument] = block(**{option.name: given.pop(option.name) for option in fields(block)})
            function(session_of(context).with_options(env, as_json=as_json), **given)

        call.__signature__ = signature(call).replace(parameters=_parameters(own))  # type: ignore[attr-defined]
        # Otherwise -5 would be an unknown option rather than an argument.
        app.command(name, context_settings={"ignore_unknown_options": negative_numbers})(call)
        return function

    return register


def session_of(context: typer.Context) -> Session:
    session = context.obj
    return session if isinstance(session, Session) else Session()


def _parameters(own: Sequence[Parameter]) -> list[Parameter]:
    keyword = Parameter.KEYWORD_ONLY
    return [
        Parameter("context", keyword, annotation=typer.Context),
        *(option.replace(kind=keyword) for parameter in own for option in _options(parameter)),
        Parameter("env", keyword, annotation=Env, default=None),
        Parameter("as_json", keyword, annotation=Json, default=False),
    ]


def _is_block(annotation: Any) -> bool:  # noqa: ANN401 - any annotation
    return isinstance(annotation, type) and is_dataclass(annotation)


def _options(parameter: Parameter) -> list[Parameter]:
    """Return a parameter itself, or one per field of its dataclass."""
    block = parameter.annotation
    if not _is_block(block):
        return [parameter]
    types = get_type_hints(block, include_extras=True)
    return [
        Parameter(option.name, Parameter.KEYWORD_ONLY, annotation=types[option.name], default=option.default)
        for option in fields(block)
    ]
