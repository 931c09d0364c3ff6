"""The analytics API: each read is authenticated, checked by governance and, where required, audited."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import quote, urlencode

from aws_lambda_powertools.event_handler import Response
from psycopg.errors import QueryCanceled

from services.analytics.api import csv_table, governance, governance_changes
from services.analytics.api.context import MetricRoute, ReadStock, RequestContext, Result
from services.analytics.api.cursors import Cursors
from services.analytics.api.governance import AccessRules
from services.analytics.api.governance_changes import GovernanceChange, GovernanceRoute, MetricParams
from services.analytics.api.params import AnalyticsParams, Query
from services.analytics.api.responses import Governance, Meta, MetricGovernance
from services.analytics.api.routes import DOCUMENT_PATH, ROUTES, AnalyticsRoute
from services.analytics.api.unprojected import FindOrder
from services.analytics.queries.params import InventoryQuery, MovementsQuery, OrdersQuery, ProductPageQuery
from services.shared.database import Database
from services.shared.http import problems
from services.shared.http.app import HttpApi
from services.shared.http.caching import Caching, etag, matches
from services.shared.http.identity import Caller, caller_of, require
from services.shared.http.negotiation import preferred
from services.shared.http.params import parse, parse_body
from services.shared.http.request import Request
from services.shared.http.routes import JSON_MEDIA_TYPE
from services.shared.http.writers import confirm
from services.shared.membership import FindMembership
from services.shared.telemetry import Telemetry


def build(  # noqa: PLR0913 - one argument for each port
    database: Database,
    *,
    cursor_keys: Callable[[], str],
    unprojected: FindOrder,
    read_stock: ReadStock,
    find_membership: FindMembership,
    allowed_origins: Sequence[str],
    clock: Callable[[], datetime],
    telemetry: Telemetry,
) -> HttpApi[AnalyticsRoute]:
    reads = AnalyticsApi(database, Cursors(cursor_keys), unprojected, read_stock, clock)
    governed = GovernanceApi(database, find_membership, clock)

    def handle(route: AnalyticsRoute, request: Request, path_params: Mapping[str, str]) -> Response[str]:
        if isinstance(route, GovernanceRoute):
            return governed.handle(route, request, path_params)
        return reads.handle(route, request, path_params)

    return HttpApi(
        routes=ROUTES,
        handle=handle,
        document_path=DOCUMENT_PATH,
        document_text=_document_text,
        allowed_origins=allowed_origins,
        unavailable=(QueryCanceled,),
        clock=clock,
        telemetry=telemetry,
    )


def _document_text() -> str:
    # Imported on first use: a cold start should not pay for the document.
    from services.analytics.api.openapi import text  # noqa: PLC0415

    return text()


class AnalyticsApi:
    def __init__(
        self,
        database: Database,
        cursors: Cursors,
        unprojected: FindOrder,
        read_stock: ReadStock,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._unprojected = unprojected
        self._read_stock = read_stock
        self._cursors = cursors
        self._clock = clock

    def handle(self, route: MetricRoute, request: Request, path_params: Mapping[str, str]) -> Response[str]:
        now = self._clock().astimezone(UTC)
        caller = caller_of(request.claims, now)
        require(route, caller)
        media_type = preferred(request.headers.get("accept"), route.media_types)
        if media_type is None:
            raise problems.not_acceptable(route.media_types)
        params: AnalyticsParams = parse(route.params_model, [*path_params.items(), *request.query])
        query = _query(params, now.date(), media_type)
        with self._database.transaction(caller.tenant_id) as connection:
            rules = governance.load_rules(connection, caller, route.metric)
            revealed = {
                metric: governance.load_rules(connection, caller, metric) for metric in route.reveals(query)
            }
            versions = [rules.version, *(its.version for its in revealed.values())]
            tag = etag(
                caller.tenant_id, caller.role, route.path, media_type, asdict(query), versions, now.date()
            )
            not_modified = route.caching is Caching.REVALIDATED and matches(
                request.headers.get("if-none-match"), tag
            )
            context = RequestContext(
                caller, rules, now.date(), self._cursors, self._unprojected, self._read_stock
            )
            result = None if not_modified else route.handler(connection, context, query)
            for metric, its in {route.metric: rules, **revealed}.items():
                if its.audited:
                    governance.record(connection, caller, metric, _details(route, query), now)
        headers = {"cache-control": route.caching.value}
        if route.caching is Caching.REVALIDATED:
            headers["etag"] = tag
        if not_modified:
            return Response(304, headers=headers)
        if result is None:
            raise problems.not_found("Check the id; your tenant has nothing with this one.")
        if media_type == csv_table.MEDIA_TYPE:
            return _csv(route, request, result, headers)
        # Characters beyond ASCII are escaped, so that any client can read the body.
        body = json.dumps(_envelope(result, caller, rules, now, request), allow_nan=False)
        return Response(200, JSON_MEDIA_TYPE, body, headers)


class GovernanceApi:
    def __init__(
        self, database: Database, find_membership: FindMembership, clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._find_membership = find_membership
        self._clock = clock

    def handle(
        self, route: GovernanceRoute, request: Request, path_params: Mapping[str, str]
    ) -> Response[str]:
        now = self._clock().astimezone(UTC)
        caller = caller_of(request.claims, now)
        require(route, caller)
        params = parse(route.params_model, [*path_params.items(), *request.query])
        if not isinstance(params, MetricParams):
            with self._database.transaction(caller.tenant_id) as connection:
                return _answer(route, governance_changes.read(connection, caller.tenant_id))
        changes = parse_body(GovernanceChange, request.json(governance_changes.MAX_BODY_BYTES))
        caller = confirm(self._find_membership, route, caller)
        with self._database.transaction(caller.tenant_id) as connection:
            changed = governance_changes.change(connection, caller, params.metric, changes, now)
        return _answer(route, changed)


def _answer(route: GovernanceRoute, data: Governance | MetricGovernance) -> Response[str]:
    body = json.dumps({"data": data.model_dump(mode="json")})
    return Response(route.status, JSON_MEDIA_TYPE, body, {"cache-control": route.caching.value})


def _query(params: AnalyticsParams, today: date, media_type: str) -> Query:
    """Resolve the parameters; CSV has as many rows as fit, unless the client sets a limit."""
    query = params.resolve(today)
    if media_type != csv_table.MEDIA_TYPE or "limit" in params.model_fields_set:
        return query
    if isinstance(query, OrdersQuery | MovementsQuery | ProductPageQuery | InventoryQuery):
        return replace(query, limit=csv_table.MAX_ROWS)
    return query


def _csv(route: MetricRoute, request: Request, result: Result, headers: Mapping[str, str]) -> Response[str]:
    """Encode the rows; `Link` leads to the rows that follow (RFC 8288)."""
    name = str(route.rows)
    links = {}
    if result.page and result.page.next_cursor:
        others = [(key, value) for key, value in request.query if key != "cursor"]
        following = urlencode([*others, ("cursor", result.page.next_cursor)])
        links["link"] = f'<{quote(request.path)}?{following}>; rel="next"'
    return Response(
        200,
        csv_table.CONTENT_TYPE,
        csv_table.text(csv_table.row_model(route.response_model, name), getattr(result.data, name)),
        {**headers, **links, "content-disposition": f'attachment; filename="{_file_name(route)}.csv"'},
    )


def _file_name(route: MetricRoute) -> str:
    parts = route.path.removeprefix("/api/").split("/")
    named = [str(route.rows) if "{" in part else part for part in parts]
    return "-".join(named)


def _details(route: MetricRoute, query: Query) -> dict[str, Any]:
    return {"route": route.path, "parameters": json.loads(json.dumps(asdict(query), default=str))}


def _envelope(
    result: Result, caller: Caller, rules: AccessRules, now: datetime, request: Request
) -> dict[str, Any]:
    meta = Meta(
        tenant=caller.tenant_id,
        as_of=rules.as_of,
        generated_at=now,
        request_id=request.request_id,
        withheld=result.withheld,
    )
    envelope = {"data": result.data.model_dump(mode="json"), "meta": meta.model_dump(mode="json")}
    return {**envelope, "page": result.page.model_dump(mode="json")} if result.page else envelope
