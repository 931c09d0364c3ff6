"""The way of every request: who asks, what for, whether he may, whether he has it already, and the answer."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final

from services.analytics.api import asking, cors, governance, problems
from services.analytics.api.answers import Meta
from services.analytics.api.caching import Keeping, etag, is_kept
from services.analytics.api.cursors import Cursors
from services.analytics.api.http import Request, Response
from services.analytics.api.identity import Caller, caller
from services.analytics.api.problems import Problem, RefusedError
from services.analytics.api.routes import DOCUMENT, ROUTES, Question, Route, Told
from services.analytics.database import Database
from services.shared.errors import TransientError
from services.shared.telemetry import Telemetry

Answer = Callable[[Mapping[str, Any], object], dict[str, Any]]

_ALWAYS: Final = {"vary": "Authorization, Origin", "x-content-type-options": "nosniff"}


def build(
    database: Database,
    *,
    cursor_key: Callable[[], str],
    allowed_origins: Sequence[str],
    clock: Callable[[], datetime],
    telemetry: Telemetry,
) -> Answer:
    """Make what answers the events of an HTTP API."""
    api = Api(database, Cursors(cursor_key), frozenset(allowed_origins), clock, telemetry)

    def answer(event: Mapping[str, Any], context: object) -> dict[str, Any]:
        del context
        return api.answer(Request.from_event(event)).for_gateway()

    return answer


class Api:
    def __init__(
        self,
        database: Database,
        cursors: Cursors,
        allowed_origins: Collection[str],
        clock: Callable[[], datetime],
        telemetry: Telemetry,
    ) -> None:
        self._database = database
        self._cursors = cursors
        self._allowed_origins = allowed_origins
        self._clock = clock
        self._telemetry = telemetry

    def answer(self, request: Request) -> Response:
        response = self._answered(request)
        shared = cors.headers(request.headers.get("origin"), self._allowed_origins)
        self._telemetry.tell(
            "a question was answered",
            path=request.path,
            status=response.status,
            request_id=request.request_id,
        )
        return response.having({**_ALWAYS, **shared})

    def _answered(self, request: Request) -> Response:
        """The boundary: whatever happens becomes an answer that says what to do."""
        try:
            return self._routed(request)
        except RefusedError as refusal:
            return _problem(refusal.problem, request)
        except TransientError as error:
            self._telemetry.warn(
                "a question could not be answered", why=str(error), request_id=request.request_id
            )
            return _problem(problems.unavailable(), request)
        except Exception as error:  # noqa: BLE001 - the boundary: the reader learns nothing of what is inside
            self._telemetry.failed("a question failed unexpectedly", error)
            return _problem(problems.unexpected(), request)

    def _routed(self, request: Request) -> Response:
        if request.path == DOCUMENT:
            return self._only_read(request) or _document(request)
        for route in ROUTES:
            named = route.match(request.path)
            if named is not None:
                return self._only_read(request) or self._governed(request, route, named)
        raise problems.not_found(f"Look up in {DOCUMENT} what can be asked for.")

    def _only_read(self, request: Request) -> Response | None:
        """Answer what is no reading: a browser that asks whether it may; refuse everything else."""
        if request.method == "OPTIONS":
            may = cors.preflight_headers(request.headers.get("origin"), self._allowed_origins)
            return Response(204, headers={"allow": cors.METHODS, **may})
        if request.method != "GET":
            raise problems.wrong_method(cors.METHODS)
        return None

    def _governed(self, request: Request, route: Route, named: Mapping[str, str]) -> Response:
        now = self._clock().astimezone(UTC)
        who = caller(request.claims, now)
        asked = asking.parse(route.asks, [*named.items(), *request.parameters])
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
        return _json(_envelope(told, who, terms, now, request), headers)


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


def _document(request: Request) -> Response:
    # What describes the interface is imported when somebody wants to see it.
    from services.analytics.api.describing import text  # noqa: PLC0415

    asking.parse(asking.Asking, request.parameters)
    document = text()
    tag = etag(document)
    headers = {"cache-control": "public, max-age=300", "etag": tag, "content-type": "application/json"}
    if is_kept(request.headers.get("if-none-match"), tag):
        return Response(304, headers=headers)
    return Response(200, document, headers)


def _json(body: Mapping[str, Any], headers: Mapping[str, str]) -> Response:
    # Letters beyond ASCII are spelled out: whatever an order was named, the answer is plain text on the wire.
    return Response(200, json.dumps(body, allow_nan=False), {"content-type": "application/json", **headers})


def _problem(problem: Problem, request: Request) -> Response:
    return Response(
        problem.kind.status,
        json.dumps(problem.body(request.instance)),
        {"content-type": problems.MEDIA_TYPE, "cache-control": "no-store", **problem.headers},
    )


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(values, default=str))
    return plain
