"""What cannot be answered, told as RFC 9457 has it: what is wrong, and what to do about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from services.shared.errors import PulseQueueError

MEDIA_TYPE: Final = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Kind:
    """One sort of problem: its name is the last part of its `type`."""

    name: str
    status: int
    title: str


BAD_CURSOR = Kind("bad-cursor", 400, "The cursor does not fit this question")
UNAUTHENTICATED = Kind("unauthenticated", 401, "Nobody is signed in")
FORBIDDEN = Kind("forbidden", 403, "This is not for you to see")
NOT_FOUND = Kind("not-found", 404, "There is no such thing")
WRONG_METHOD = Kind("wrong-method", 405, "Things can only be read here")
BAD_PARAMETERS = Kind("bad-parameters", 422, "The question cannot be understood")
UNEXPECTED = Kind("unexpected", 500, "Something went wrong that nobody foresaw")
UNAVAILABLE = Kind("unavailable", 503, "The answer cannot be looked up now")

KINDS: Final = (
    BAD_CURSOR,
    UNAUTHENTICATED,
    FORBIDDEN,
    NOT_FOUND,
    WRONG_METHOD,
    BAD_PARAMETERS,
    UNEXPECTED,
    UNAVAILABLE,
)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one parameter."""

    parameter: str
    problem: str


@dataclass(frozen=True, slots=True)
class Problem:
    kind: Kind
    detail: str
    """What to do."""
    faults: Sequence[Fault] = ()
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def body(self, instance: str) -> dict[str, Any]:
        told: dict[str, Any] = {
            "type": f"urn:pulsequeue:problem:{self.kind.name}",
            "title": self.kind.title,
            "status": self.kind.status,
            "detail": self.detail,
            "instance": instance,
        }
        if self.faults:
            told["errors"] = [
                {"parameter": fault.parameter, "problem": fault.problem} for fault in self.faults
            ]
        return told


class RefusedError(PulseQueueError):
    """A request that is answered with a problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


def bad_parameters(*faults: Fault) -> RefusedError:
    return RefusedError(
        Problem(BAD_PARAMETERS, "Mend the parameters that `errors` names, and ask again.", faults)
    )


def not_found(detail: str) -> RefusedError:
    return RefusedError(Problem(NOT_FOUND, detail))


def forbidden(detail: str) -> RefusedError:
    return RefusedError(Problem(FORBIDDEN, detail))


def unauthenticated() -> RefusedError:
    return RefusedError(
        Problem(
            UNAUTHENTICATED,
            "Sign in, and send the header `Authorization: Bearer <ID token>` with a token that still holds.",
            headers={"www-authenticate": 'Bearer realm="pulsequeue analytics"'},
        )
    )


def bad_cursor() -> RefusedError:
    return RefusedError(
        Problem(
            BAD_CURSOR,
            "A cursor continues the very question it came from, with the same filters. "
            "Ask for the first page again, without `cursor`.",
        )
    )


def wrong_method(allowed: str) -> RefusedError:
    return RefusedError(Problem(WRONG_METHOD, f"Use one of: {allowed}.", headers={"allow": allowed}))


def unavailable() -> Problem:
    return Problem(UNAVAILABLE, "Ask again in a few seconds.", headers={"retry-after": "5"})


def unexpected() -> Problem:
    return Problem(
        UNEXPECTED, "Ask again; if it fails again, give whoever runs this the `instance` to look for."
    )
