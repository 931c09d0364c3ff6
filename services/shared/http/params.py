"""Parameters of the path and the query, parsed more strictly than the router itself would."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Final, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, WithJsonSchema

from services.shared.http.problems import (
    InvalidParameter,
    ProblemError,
    bad_parameters,
    invalid_parameter,
)

MAX_LENGTH: Final = 256
MAX_CURSOR_LENGTH: Final = 1024
_MAX_NAME_LENGTH: Final = 64
_MAX_ERRORS: Final = 20
_DAY: Final = r"(19|2[0-9])[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"


def formatted(pattern: str, convert: Callable[[str], object], message: str) -> BeforeValidator:
    """Accept text of one format alone: pydantic by itself would also take times, fractions and Unix times."""

    def validate(value: object) -> object:
        if isinstance(value, str) and re.fullmatch(pattern, value):
            try:
                return convert(value)
            except ValueError:
                pass
        raise ValueError(message)

    return BeforeValidator(validate)


Day = Annotated[
    date,
    formatted(_DAY, date.fromisoformat, "must be a day such as 2026-01-31"),
    WithJsonSchema({"type": "string", "format": "date", "pattern": f"^{_DAY}$"}),
]


class RequestParams(BaseModel):
    """The parameters of one route; a field's alias is the parameter's name."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class NoParams(RequestParams):
    """A route without parameters."""


P = TypeVar("P", bound=RequestParams)


def parse(model: type[P], values: Sequence[tuple[str, str]]) -> P:
    """Validate parameters strictly: one that is unknown or repeated is an error."""
    max_lengths = _max_lengths(model)
    by_name = dict(values)
    errors = [
        *(
            invalid_parameter(name[:_MAX_NAME_LENGTH], _unknown(max_lengths))
            for name in by_name
            if name not in max_lengths
        ),
        *(invalid_parameter(name, "must be given once") for name in max_lengths if _times(name, values) > 1),
        *(
            invalid_parameter(name, f"must have at most {max_lengths[name]} characters")
            for name, value in by_name.items()
            if len(value) > max_lengths.get(name, len(value))
        ),
    ]
    if errors:
        raise bad_parameters(*errors)
    try:
        return model.model_validate(by_name)
    except ValidationError as error:
        raise bad_parameters(*(_invalid(dict(details)) for details in error.errors())) from None


B = TypeVar("B", bound=BaseModel)


def parse_body(model: type[B], document: object) -> B:
    """Validate a decoded body: a member that is unknown is an error."""
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise body_problem(error) from None


def body_problem(error: ValidationError, *path: str) -> ProblemError:
    """Describe what is wrong with a body; `path` leads to what was validated."""
    errors = error.errors(include_input=False, include_url=False)[:_MAX_ERRORS]
    return bad_parameters(*(_invalid({**details, "loc": (*path, *details["loc"])}) for details in errors))


def _max_lengths(model: type[RequestParams]) -> dict[str, int]:
    """Return the names of a model's parameters, each with the most characters it may have."""
    return {
        field.alias or name: MAX_CURSOR_LENGTH if name == "cursor" else MAX_LENGTH
        for name, field in model.model_fields.items()
    }


def _unknown(names: Mapping[str, int]) -> str:
    return (
        f"is unknown; this route takes: {', '.join(names)}" if names else "is unknown; this route takes none"
    )


def _times(name: str, values: Sequence[tuple[str, str]]) -> int:
    return sum(1 for other, _ in values if other == name)


def _invalid(error: Mapping[str, Any]) -> InvalidParameter:
    message = str(error["ctx"]["error"]) if error["type"] == "value_error" else str(error["msg"])
    name = ".".join(map(str, error["loc"])) or "body"
    return invalid_parameter(name[:MAX_LENGTH], message[:1].lower() + message[1:])
