"""Error responses as problem documents (RFC 9457): what is wrong, and what to do about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Final

from pydantic import Field

from services.shared.errors import PulseQueueError
from services.shared.http.responses import ResponseModel

MEDIA_TYPE: Final = "application/problem+json"
_NO_HEADERS: Final = MappingProxyType[str, str]({})


@dataclass(frozen=True, slots=True)
class ProblemType:
    """The name is the last part of the problem's `type` URI."""

    name: str
    status: int
    title: str


BAD_CURSOR = ProblemType("bad-cursor", 400, "Invalid cursor")
UNAUTHENTICATED = ProblemType("unauthenticated", 401, "Not authenticated")
FORBIDDEN = ProblemType("forbidden", 403, "Forbidden")
NOT_FOUND = ProblemType("not-found", 404, "Not found")
WRONG_METHOD = ProblemType("wrong-method", 405, "Method not allowed")
BAD_PARAMETERS = ProblemType("bad-parameters", 422, "Invalid parameters")
UNEXPECTED = ProblemType("unexpected", 500, "Internal server error")
UNAVAILABLE = ProblemType("unavailable", 503, "Service unavailable")

PROBLEM_TYPES: Final = (
    BAD_CURSOR,
    UNAUTHENTICATED,
    FORBIDDEN,
    NOT_FOUND,
    WRONG_METHOD,
    BAD_PARAMETERS,
    UNEXPECTED,
    UNAVAILABLE,
)


class InvalidParameter(ResponseModel):
    parameter: str
    problem: str


class Problem(ResponseModel):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: Annotated[str, Field(description="What to do.")]
    instance: str
    errors: list[InvalidParameter] | None = None


class ProblemError(PulseQueueError):
    """A request that is answered with a problem document."""

    def __init__(
        self,
        problem_type: ProblemType,
        detail: str,
        *,
        errors: Sequence[InvalidParameter] = (),
        headers: Mapping[str, str] = _NO_HEADERS,
    ) -> None:
        super().__init__(detail)
        self.problem_type = problem_type
        self.headers = headers
        self._detail = detail
        self._errors = errors

    def problem(self, instance: str) -> Problem:
        return Problem(
            type=f"urn:pulsequeue:problem:{self.problem_type.name}",
            title=self.problem_type.title,
            status=self.problem_type.status,
            detail=self._detail,
            instance=instance,
            errors=list(self._errors) or None,
        )


def invalid_parameter(parameter: str, problem: str) -> InvalidParameter:
    return InvalidParameter(parameter=parameter, problem=problem)


def bad_parameters(*errors: InvalidParameter) -> ProblemError:
    return ProblemError(BAD_PARAMETERS, "Correct the parameters listed in `errors` and retry.", errors=errors)


def not_found(detail: str) -> ProblemError:
    return ProblemError(NOT_FOUND, detail)


def forbidden(detail: str) -> ProblemError:
    return ProblemError(FORBIDDEN, detail)


def unauthenticated() -> ProblemError:
    return ProblemError(
        UNAUTHENTICATED,
        "Sign in and send the header `Authorization: Bearer <ID token>` with a token that has not expired.",
        headers={"www-authenticate": 'Bearer realm="pulsequeue analytics"'},
    )


def bad_cursor() -> ProblemError:
    return ProblemError(
        BAD_CURSOR,
        "A cursor continues only the query it came from, with the same filters. "
        "Request the first page, without `cursor`.",
    )


def wrong_method(allowed: str) -> ProblemError:
    return ProblemError(WRONG_METHOD, f"Use one of: {allowed}.", headers={"allow": allowed})


def unavailable() -> ProblemError:
    return ProblemError(UNAVAILABLE, "Retry in a few seconds.", headers={"retry-after": "5"})


def unexpected() -> ProblemError:
    return ProblemError(UNEXPECTED, "Retry; if it fails again, report the `instance` to the operator.")
