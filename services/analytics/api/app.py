"""The way of every request: who asks, what for, whether he may, whether he has it already, and the answer.

Powertools finds the route, lets web pages in, and hands errors to those who make problems of them. Parameters
are read by our own models, more strictly than its validation would, and the document is made from those
(docs/adr/0012-powertools-routing-own-validation.md).
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, CORSConfig, Response
from psycopg.errors import QueryCanceled

from services.analytics.api import governance, params
from services.analytics.api.caching import Keeping, etag, is_kept
from services.analytics.api.cursors import Cursors
from services.analytics.api.responses import Meta
from services.analytics.api.routes import DOCUMENT, ROUTES, Question, Route, Told
from services.analytics.db.database import Database
from services.shared.errors import TransientError
from services.shared.http import problems
from services.shared.http.identity import Caller, caller
from services.shared.http.problems import Problem, RefusedError
from services.shared.http.request import Request
from services.shared.log_events import LogEvent
from services.shared.telemetry import Telemetry

Answer = Callable[[Mapping[str, Any], object], dict[str, Any]]

_ALWAYS: Final = {"vary": "Authorization, Origin", "x-content-type-options": "nosniff"}
_JSON: Final = "application/json"
_READING: Final = ("GET", "OPTIONS")
_LOOK_UP: Final = f"Look up in {DOCUMENT} what can be asked for."


def build(
    database: Database,
    *,
    cursor_key: Callable[[], str],
    allowed_origins: Sequence[str],
    clock: Callable[[], datetime],
    telemetry: Telemetry,
) -> Answer:
    """Make what answers the events of an HTTP API."""
    api = Api(database, Cursors(cursor_key), clock, telemetry)
    resolver = APIGatewayHttpResolver(cors=_cors(allowed_origins))
    for route in ROUTES:
        resolver.get(route.rule)(_answering(api, resolver, route))
    resolver.get(DOCUMENT)(lambda: api.document(_request(resolver)))
    resolver.not_found(lambda _: api.refused(_lost(_request(resolver)), _request(resolver)))
    resolver.exception_handler(RefusedError)(lambda refusal: api.refused(refusal, _request(resolver)))
    for passing in (TransientError, QueryCanceled):
        resolver.exception_handler(passing)(lambda error: api.waits(error, _request(resolver)))
    resolver.exception_handler(Exception)(lambda error: api.failed(error, _request(resolver)))

    def answer(event: Mapping[str, Any], context: object) -> dict[str, Any]:
        told = resolver.resolve(dict(event), context)  # type: ignore[arg-type]
        request = _request(resolver)
        telemetry.info(
            LogEvent.REQUEST_SERVED,
            path=request.path,
            status=told["statusCode"],
            request_id=request.request_id,
        )
        headers = {name.lower(): value for name, value in told["headers"].items()}
        return {**told, "body": told.get("body") or "", "headers": {**headers, **_ALWAYS}}

    return answer


def _cors(allowed_origins: Sequence[str]) -> CORSConfig | None:
    """Let the pages of these origins read the answers, and those of no others."""
    if not allowed_origins:
        return None
    first, *others = allowed_origins
    return CORSConfig(first, others, allow_headers=["If-None-Match"], expose_headers=["ETag"], max_age=600)


def _request(resolver: APIGatewayHttpResolver) -> Request:
    return Request.of(resolver.current_event)


def _answering(api: "Api", resolver: APIGatewayHttpResolver, route: Route) -> Callable[[], Response[str]]:
    def answer() -> Response[str]:
        return api.governed(route, _request(resolver))

    return answer


def _lost(request: Request) -> RefusedError:
    """Say what is wrong with a request that no route takes."""
    known = request.path == DOCUMENT or any(route.match(request.path) is not None for route in ROUTES)
    if known and request.method not in _READING:
        return problems.wrong_method(", ".join(_READING))
    return problems.not_found(_LOOK_UP)


class Api:
    def __init__(
        self,
        database: Database,
        cursors: Cursors,
        clock: Callable[[], datetime],
        telemetry: Telemetry,
    ) -> None:
        self._database = database
        self._cursors = cursors
        self._clock = clock
        self._telemetry = telemetry

    def governed(self, route: Route, request: Request) -> Response[str]:
        """Answer one question to somebody who may know."""
        named = route.match(request.path)
        if named is None:  # the router is content with less: a line may end after the path
            raise problems.not_found(_LOOK_UP)
        now = self._clock().astimezone(UTC)
        who = caller(request.claims, now)
        asked = params.parse(route.asks, [*named.items(), *request.parameters])
        wanted = asked.means(now.date())
        with self._database.transaction(who.tenant_id) as connection:
            terms = governance.terms(connection, who, route.metric)
            tag = etag(who.tenant_id, who.role, route.path, asdict(wanted), terms.version, now.date())
            kept = route.keeping is Keeping.REVALIDATED and is_kept(request.headers.get("if-none-match"), tag)
            question = Question(who, terms, now.date(), self._cursors)
            told = None if kept else route.answer(connection, question, wanted)
            if terms.audited:
                details = {"route": route.path, "parameters": _plain(asdict(wanted))}
                governance.note(connection, who, route.metric, details, now)
        headers = {"cache-control": route.keeping.value}
        if route.keeping is Keeping.REVALIDATED:
            headers["etag"] = tag
        if kept:
            return Response(304, headers=headers)
        if told is None:
            raise problems.not_found("Check the id: there is no such thing of your tenant.")
        # Letters beyond ASCII are spelled out: however an order was named, the answer is plain text.
        body = json.dumps(_envelope(told, who, terms, now, request), allow_nan=False)
        return Response(200, _JSON, body, headers)

    def document(self, request: Request) -> Response[str]:
        """Tell whoever is signed in what can be asked for."""
        # What describes the interface is imported when somebody wants to see it.
        from services.analytics.api.openapi import text  # noqa: PLC0415

        caller(request.claims, self._clock().astimezone(UTC))
        params.parse(params.LastMonthAsked, request.parameters)  # here, too, there is nothing to choose
        document = text()
        tag = etag(document)
        headers = {"cache-control": "private, max-age=300", "etag": tag}
        if is_kept(request.headers.get("if-none-match"), tag):
            return Response(304, headers=headers)
        return Response(200, _JSON, document, headers)

    def refused(self, refusal: RefusedError, request: Request) -> Response[str]:
        return _told_of(refusal.problem, request)

    def waits(self, error: Exception, request: Request) -> Response[str]:
        self._telemetry.warning(LogEvent.REQUEST_UNAVAILABLE, why=str(error), request_id=request.request_id)
        return _told_of(problems.unavailable(), request)

    def failed(self, error: Exception, request: Request) -> Response[str]:
        """The boundary: the reader learns nothing of what is inside."""
        self._telemetry.error(LogEvent.REQUEST_FAILED, error)
        return _told_of(problems.unexpected(), request)


def _envelope(
    told: Told, who: Caller, terms: governance.Terms, now: datetime, request: Request
) -> dict[str, Any]:
    meta = Meta(
        tenant=who.tenant_id,
        as_of=terms.as_of,
        generated_at=now,
        request_id=request.request_id,
        withheld=told.withheld,
    )
    envelope = {"data": told.data.model_dump(mode="json"), "meta": meta.model_dump(mode="json")}
    return {**envelope, "page": told.page.model_dump(mode="json")} if told.page else envelope


def _told_of(problem: Problem, request: Request) -> Response[str]:
    return Response(
        problem.kind.status,
        problems.MEDIA_TYPE,
        json.dumps(problem.body(request.instance)),
        {"cache-control": "no-store", **problem.headers},
    )


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(values, default=str))
    return plain
