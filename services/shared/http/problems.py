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


BAD_BODY = ProblemType("bad-body", 400, "Unreadable body")
BAD_CURSOR = ProblemType("bad-cursor", 400, "Invalid cursor")
NO_KEY = ProblemType("missing-idempotency-key", 400, "Missing idempotency key")
UNAUTHENTICATED = ProblemType("unauthenticated", 401, "Not authenticated")
FORBIDDEN = ProblemType("forbidden", 403, "Forbidden")
NOT_FOUND = ProblemType("not-found", 404, "Not found")
WRONG_METHOD = ProblemType("wrong-method", 405, "Method not allowed")
NOT_ACCEPTABLE = ProblemType("not-acceptable", 406, "Not acceptable")
WRONG_STATE = ProblemType("wrong-state", 409, "Conflict with the current state")
KEY_REUSED = ProblemType("key-reused", 409, "Idempotency key reused")
TOO_LARGE = ProblemType("too-large", 413, "Body too large")
WRONG_MEDIA_TYPE = ProblemType("wrong-media-type", 415, "Unsupported media type")
BAD_PARAMETERS = ProblemType("bad-parameters", 422, "Invalid parameters")
TOO_MANY = ProblemType("too-many-requests", 429, "Too many requests")
UNEXPECTED = ProblemType("unexpected", 500, "Internal server error")
UNAVAILABLE = ProblemType("unavailable", 503, "Service unavailable")

PROBLEM_TYPES: Final = (
    BAD_BODY,
    BAD_CURSOR,
    NO_KEY,
    UNAUTHENTICATED,
    FORBIDDEN,
    NOT_FOUND,
    WRONG_METHOD,
    NOT_ACCEPTABLE,
    WRONG_STATE,
    KEY_REUSED,
    TOO_LARGE,
    WRONG_MEDIA_TYPE,
    BAD_PARAMETERS,
    TOO_MANY,
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
        headers={"www-authenticate": 'Bearer realm="pulsequeue"'},
    )


def bad_cursor() -> ProblemError:
    return ProblemError(
        BAD_CURSOR,
        "A cursor continues only the query it came from, with the same filters. "
        "Request the first page, without `cursor`.",
    )


def bad_body(detail: str) -> ProblemError:
    return ProblemError(BAD_BODY, detail)


def no_key() -> ProblemError:
    return ProblemError(
        NO_KEY,
        "Send the header `Idempotency-Key` with 1 to 128 visible ASCII characters, new for each request "
        "and the same for its retries.",
    )


def key_reused() -> ProblemError:
    return ProblemError(
        KEY_REUSED, "This `Idempotency-Key` was used with another body. Send a new key for a new request."
    )


def wrong_state(detail: str) -> ProblemError:
    return ProblemError(WRONG_STATE, detail)


def not_acceptable(offered: Sequence[str]) -> ProblemError:
    return ProblemError(NOT_ACCEPTABLE, f"This route answers as {' or '.join(offered)}; name it in `Accept`.")


def too_large(most_bytes: int) -> ProblemError:
    return ProblemError(TOO_LARGE, f"Send a body of at most {most_bytes:,} bytes.")


def wrong_media_type() -> ProblemError:
    return ProblemError(WRONG_MEDIA_TYPE, "Send JSON, with the header `Content-Type: application/json`.")


def too_many(seconds: int) -> ProblemError:
    return ProblemError(
        TOO_MANY,
        f"Retry in {seconds} s, and send requests more slowly.",
        headers={"retry-after": str(seconds)},
    )


def wrong_method(allowed: str) -> ProblemError:
    return ProblemError(WRONG_METHOD, f"Use one of: {allowed}.", headers={"allow": allowed})


def unavailable() -> ProblemError:
    return ProblemError(UNAVAILABLE, "Retry in a few seconds.", headers={"retry-after": "5"})


def unexpected() -> ProblemError:
    return ProblemError(UNEXPECTED, "Retry; if it fails again, report the `instance` to the operator.")
