"""A route as the router and the OpenAPI document both need it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from services.shared.http.caching import Caching
from services.shared.http.params import RequestParams
from services.shared.http.problems import BAD_CURSOR, NOT_FOUND, ProblemType
from services.shared.http.responses import ResponseModel


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

    @property
    def tag(self) -> str:
        """The group of operations that the document lists this one in."""
        return self.path.split("/")[2]

    @property
    def envelope(self) -> Mapping[str, type[ResponseModel]]:
        """The members of a successful response."""
        return {"data": self.response_model}

    @property
    def problem_types(self) -> frozenset[ProblemType]:
        """The problems of this route beside those of every route."""
        paged = {BAD_CURSOR} if self.paged else set()
        return frozenset(paged | ({NOT_FOUND} if "{" in self.path else set()))

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
