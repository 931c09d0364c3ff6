"""What the handlers of routes share: the context of a request, its result, and the route itself."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, TypeAlias

from services.analytics.api import csv_table, params, responses
from services.analytics.api.cursors import Cursors
from services.analytics.api.governance import AccessRules
from services.analytics.api.unprojected import FindOrder
from services.shared.database import Connection
from services.shared.http.identity import Caller
from services.shared.http.problems import NOT_ACCEPTABLE, ProblemType, bad_cursor
from services.shared.http.responses import ResponseModel
from services.shared.http.roles import METRICS_READ
from services.shared.http.routes import JSON_MEDIA_TYPE, Route
from services.shared.ledger import Key, Stock

ReadStock: TypeAlias = Callable[[Collection[Key]], Mapping[Key, Stock]]

CUSTOMERS: Final = "customers"
"""What is withheld where a role may not see customers."""


@dataclass(frozen=True, slots=True)
class RequestContext:
    caller: Caller
    rules: AccessRules
    today: date
    cursors: Cursors
    unprojected: FindOrder
    """Finds an order that has no row yet."""
    read_stock: ReadStock
    """Reads stock as it is at this moment; what is not in the inventory is left out."""

    @property
    def tenant_id(self) -> str:
        return self.caller.tenant_id

    def position(self, filters: object, cursor: str | None) -> Sequence[str] | None:
        """Return where a page begins; None for the first."""
        if cursor is None:
            return None
        position = self.cursors.decode_values(self.tenant_id, filters, cursor)
        if position is None:
            raise bad_cursor()
        return position

    def next_cursor(self, filters: object, position: Sequence[str]) -> str:
        return self.cursors.encode_values(self.tenant_id, filters, position)


@dataclass(frozen=True, slots=True)
class Result:
    data: ResponseModel
    page: responses.Page | None = None
    withheld: str | None = None


@dataclass(frozen=True, kw_only=True)
class MetricRoute(Route):
    metric: str
    """The name that governance rules use."""
    reveals: Callable[[Any], Sequence[str]] = lambda _query: ()
    """Other metrics that can be read from its response, and must be visible as well."""
    params_model: type[params.AnalyticsParams]
    handler: Callable[[Connection, RequestContext, Any], Result | None]
    scope: str | None = METRICS_READ
    rows: str | None = None
    """The member of the response whose entries are the lines of its CSV; None: no CSV."""

    @property
    def media_types(self) -> Sequence[str]:
        return (JSON_MEDIA_TYPE, csv_table.MEDIA_TYPE) if self.rows else (JSON_MEDIA_TYPE,)

    @property
    def problem_types(self) -> frozenset[ProblemType]:
        return super().problem_types | {NOT_ACCEPTABLE}

    @property
    def tag(self) -> str:
        return self.metric

    @property
    def envelope(self) -> Mapping[str, type[ResponseModel]]:
        envelope: dict[str, type[ResponseModel]] = {"data": self.response_model, "meta": responses.Meta}
        return {**envelope, "page": responses.Page} if self.paged else envelope
