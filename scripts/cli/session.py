"""What every command shares: which environment, how to print, and the desk, opened when first needed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, wraps
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from scripts.cli.output import Output

if TYPE_CHECKING:
    from scripts.ops.context import OpsContext

Function = Callable[..., None]
Env = Annotated[
    str | None,
    typer.Option("--env", metavar="ENV", help="Environment: local, dev, prod, or another that was deployed."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Tenant = Annotated[str, typer.Option("--tenant", metavar="ID", help="Whose it is.")]
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
    """Read in place of the process's own standard input."""

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
    """Register a command that takes a Session first; typer sees --env and --json after its own options."""

    def register(function: Function) -> Function:
        own = list(signature(function, eval_str=True).parameters.values())[1:]

        @wraps(function)
        def call(context: typer.Context, env: str | None, *, as_json: bool, **given: Any) -> None:  # noqa: ANN401 - typer checked them
            function(session_of(context).with_options(env, as_json=as_json), **given)

        call.__signature__ = signature(call).replace(parameters=_parameters(own))  # type: ignore[attr-defined]
        # Only then is -5 an argument rather than an option nobody knows.
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
        *(parameter.replace(kind=keyword) for parameter in own),
        Parameter("env", keyword, annotation=Env, default=None),
        Parameter("as_json", keyword, annotation=Json, default=False),
    ]
