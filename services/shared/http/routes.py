"""A route as the router and the OpenAPI document both need it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from pydantic import BaseModel

from services.shared.http.caching import Caching
from services.shared.http.params import RequestParams
from services.shared.http.problems import (
    BAD_BODY,
    BAD_CURSOR,
    NO_KEY,
    NOT_FOUND,
    TOO_LARGE,
    TOO_MANY,
    WRONG_MEDIA_TYPE,
    ProblemType,
)
from services.shared.http.responses import ResponseModel
from services.shared.http.roles import ROLES, Role

JSON_MEDIA_TYPE: Final = "application/json"


@dataclass(frozen=True, kw_only=True)
class Route:
    path: str
    """With path parameters in braces: `/api/orders/{orderId}`."""
    summary: str
    params_model: type[RequestParams]
    response_model: type[ResponseModel]
    method: str = "GET"
    caching: Caching = Caching.REVALIDATED
    paged: bool = False
    roles: Sequence[Role] = ROLES
    """The roles of people that may call it."""
    scope: str | None = None
    """The scope of machines that may call it; None: no machine may."""
    body_model: type[BaseModel] | None = None
    status: int = 200
    """Of a successful response."""
    located: bool = False
    """Whether a successful response has the header Location."""
    needs_key: bool = False
    """Whether the header Idempotency-Key is required."""
    takes_key: bool = False
    """Whether the header Idempotency-Key tells requests apart; some bodies may require it."""
    counted: bool = True
    """Whether the writes of a caller are counted, and too many refused."""
    conflicts: frozenset[ProblemType] = frozenset()
    """How a request may contradict the current state."""

    @property
    def tag(self) -> str:
        """The group of operations that the document lists this one in."""
        return self.path.split("/")[2]

    @property
    def envelope(self) -> Mapping[str, type[ResponseModel]]:
        """The members of a successful response."""
        return {"data": self.response_model}

    @property
    def media_types(self) -> Sequence[str]:
        """What a successful response may be encoded as; the first where the client has no preference."""
        return (JSON_MEDIA_TYPE,)

    @property
    def problem_types(self) -> frozenset[ProblemType]:
        """The problems of this route beside those of every route."""
        found: set[ProblemType] = {BAD_CURSOR} if self.paged else set()
        if "{" in self.path:
            found.add(NOT_FOUND)
        if self.method != "GET" and self.counted:
            found.add(TOO_MANY)
        if self.body_model is not None:
            found |= {BAD_BODY, TOO_LARGE, WRONG_MEDIA_TYPE}
        if self.needs_key or self.takes_key:
            found.add(NO_KEY)
        return frozenset(found | self.conflicts)

    @property
    def router_rule(self) -> str:
        """The path as the router takes it: an id may hold any character, a slash among them."""
        return re.sub(r"\{\w+\}", ".+", self.path)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+)", re.escape(self.path)))

    def match(self, path: str) -> Mapping[str, str] | None:
        """Return the path parameters; None if the path is another route's."""
        found = self._pattern.fullmatch(path)
        return found.groupdict() if found else None
