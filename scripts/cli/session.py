"""What every command shares: the environment, the output, and the OpsContext, opened on first use."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, is_dataclass, replace
from functools import cached_property, wraps
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Annotated, Any, TextIO, get_type_hints

import typer

from scripts.cli.output import Output
from scripts.cli.plain_help import PlainCommand
from scripts.common.errors import ToolError
from scripts.common.project_files import require_checkout

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
LOCAL = "local"

_USAGE = 2
_ENV_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")


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
        chosen = self.env if env is None else env
        if not _ENV_NAME.fullmatch(chosen):
            raise ToolError(
                f"{chosen!r} is not the name of an environment; "
                "give local, dev, prod, or another deployed one.",
                exit_code=_USAGE,
            )
        return replace(self, env=chosen, as_json=as_json or self.as_json)


@dataclass(frozen=True, slots=True)
class Limits:
    """Where a command works: by default with any environment and from any folder."""

    local_only: bool = False
    needs_checkout: bool = False

    def check(self, session: Session, name: str) -> None:
        if self.needs_checkout:
            require_checkout(name)
        if self.local_only and session.env != LOCAL:
            raise ToolError(
                f"`{name}` works with the local stack only, not with {session.env!r}; "
                "omit --env and unset PULSEQUEUE_ENV.",
                exit_code=_USAGE,
            )


def command(
    app: typer.Typer,
    name: str | None = None,
    *,
    examples: Sequence[str] = (),
    limits: Limits = Limits(),
    negative_numbers: bool = False,
) -> Callable[[Function], Function]:
    """Register a command that takes a Session first; --env and --json are added to its options.

    A parameter whose type is a dataclass stands for a block of options: one per field. Examples are command
    lines without `pulsequeue`; the help ends with them.
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
            session = session_of(context).with_options(env, as_json=as_json)
            limits.check(session, context.command_path)
            with _explained(session):
                function(session, **given)

        call.__signature__ = signature(call).replace(parameters=_parameters(own))  # type: ignore[attr-defined]
        # Otherwise -5 would be an unknown option rather than an argument.
        settings = {"ignore_unknown_options": negative_numbers}
        app.command(name, cls=PlainCommand, context_settings=settings, epilog=epilog(examples))(call)
        return function

    return register


@contextmanager
def _explained(session: Session) -> Iterator[None]:
    """Name the environment when one of its resources is missing: its name is the likely mistake."""
    try:
        yield
    except Exception as error:
        # botocore makes the classes of these errors at run time, and importing it takes half a second.
        details = getattr(error, "response", {}).get("Error", {})
        if details.get("Code") != "ResourceNotFoundException":
            raise
        raise ToolError(
            f"environment {session.env!r} lacks what this needs ({details.get('Message')}); "
            "check --env, the region and AWS_PROFILE."
        ) from error


def epilog(examples: Sequence[str]) -> str | None:
    r"""Return the examples as one paragraph that is not wrapped (\b)."""
    if not examples:
        return None
    return "\n".join(["\b", "Examples:", *(f"  pulsequeue {example}" for example in examples)])


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
