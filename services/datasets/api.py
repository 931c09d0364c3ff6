"""Datasets over HTTP: who may call what, and how a response looks."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

from aws_lambda_powertools.event_handler import Response
from pydantic import BaseModel

from services.datasets import requests
from services.datasets.domain import DATA, REJECTS, Recipe
from services.datasets.records import TOTAL, DatasetLoad, LoadKey, LoadState
from services.datasets.series import MAX_POINTS, Point, SeriesQuery
from services.datasets.service import Datasets, Known
from services.shared.events import rfc3339
from services.shared.http import problems
from services.shared.http.app import HttpApi
from services.shared.http.caching import Caching
from services.shared.http.identity import Caller, caller_of, require
from services.shared.http.params import NoParams, RequestParams, parse, parse_body
from services.shared.http.problems import WRONG_STATE, ProblemType
from services.shared.http.request import Request
from services.shared.http.responses import ResponseModel
from services.shared.http.roles import EDITORS, ROLES
from services.shared.http.routes import JSON_MEDIA_TYPE, Route
from services.shared.http.writers import Writers
from services.shared.telemetry import Telemetry

MAX_BODY_BYTES: Final = 256 * 1_024
DOCUMENT_PATH: Final = "/api/openapi.json"


class Form(Protocol):
    @property
    def url(self) -> str: ...
    @property
    def fields(self) -> Mapping[str, str]: ...


class Links(Protocol):
    """Signed addresses of files."""

    form_seconds: int

    def form(self, key: LoadKey) -> Form: ...
    def link(self, key: LoadKey, name: str, file_name: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Api:
    """What the routes need."""

    datasets: Datasets
    links: Links
    read_series: Callable[[DatasetLoad, SeriesQuery], Sequence[Point]]
    clock: Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Call:
    """One request, checked."""

    caller: Caller
    params: Any
    body: Any

    @property
    def tenant_id(self) -> str:
        return self.caller.tenant_id


Handler = Callable[[Api, Call], ResponseModel]


@dataclass(frozen=True, kw_only=True)
class DatasetRoute(Route):
    handler: Handler
    params_model: type[RequestParams] = NoParams
    caching: Caching = Caching.NEVER
    roles: Sequence[str] = ROLES
    conflicts: frozenset[ProblemType] = frozenset({WRONG_STATE})


def _list(api: Api, call: Call) -> ResponseModel:
    return requests.DatasetViews(datasets=[_view(it) for it in api.datasets.all(call.tenant_id)])


def _create(api: Api, call: Call) -> ResponseModel:
    body: requests.NewDataset = call.body
    dataset_id = api.datasets.create(call.tenant_id, call.caller.user_id, body.name)
    return _upload_form(api, call, dataset_id, body)


def _upload(api: Api, call: Call) -> ResponseModel:
    return _upload_form(api, call, call.params.dataset_id, call.body)


def _upload_form(api: Api, call: Call, dataset_id: str, body: requests.NewUpload) -> ResponseModel:
    caller = call.caller
    key = api.datasets.begin_load(
        caller.tenant_id, caller.user_id, dataset_id, body.file_name, automatic=body.automatic
    )
    form = api.links.form(key)
    return requests.UploadFormView(
        dataset_id=dataset_id,
        load_id=key.load_id,
        url=form.url,
        fields=dict(form.fields),
        expires_at=rfc3339(api.clock() + timedelta(seconds=api.links.form_seconds)),
    )


def _show(api: Api, call: Call) -> ResponseModel:
    known = api.datasets.one(call.tenant_id, call.params.dataset_id)
    return requests.DatasetDetails(**_view(known).model_dump(by_alias=False), proposal=_proposal(known.loads))


def _confirm(api: Api, call: Call) -> ResponseModel:
    params, body = call.params, call.body

    def answer(recipe: Recipe) -> Recipe:
        return recipe.answered(body.date_orders, body.decimals, body.types).timed(body.time)

    api.datasets.confirm(call.tenant_id, params.dataset_id, params.load_id, answer)
    return requests.StartedLoad(dataset_id=params.dataset_id, load_id=params.load_id)


def _errors(api: Api, call: Call) -> ResponseModel:
    load = api.datasets.faulty(call.tenant_id, call.params.dataset_id)
    return requests.RejectedValues(
        load_id=load.load_id,
        rejected=load.rejected or 0,
        errors=[requests.RejectedValue(**it.model_dump()) for it in load.rejects],
        url=api.links.link(load.key, REJECTS, f"{load.file_name}.rejects.csv"),
    )


def _download(api: Api, call: Call) -> ResponseModel:
    load = api.datasets.loaded(call.tenant_id, call.params.dataset_id)
    return requests.FileLink(url=api.links.link(load.key, DATA, f"{load.file_name}.parquet"))


def _remove(api: Api, call: Call) -> ResponseModel:
    api.datasets.remove(call.tenant_id, call.params.dataset_id)
    return requests.Removed()


def _series(api: Api, call: Call) -> ResponseModel:
    params: requests.SeriesParams = call.params
    load = api.datasets.loaded(call.tenant_id, params.dataset_id)
    kpi = _one_of("kpi", params.kpi or next(iter(load.kpis), ""), load.kpis)
    by = TOTAL if params.by is None else _one_of("by", params.by, load.dimensions)
    if params.since and params.until and params.since >= params.until:
        raise problems.bad_parameters(problems.invalid_parameter("to", "must be after `from`"))
    points = api.read_series(load, SeriesQuery(kpi, params.interval, params.since, params.until, by))
    if len(points) > MAX_POINTS:
        too_many = f"gives more than {MAX_POINTS:,} points; choose a longer one, or fewer days"
        raise problems.bad_parameters(problems.invalid_parameter("interval", too_many))
    return requests.SeriesView(
        kpi=kpi,
        by=params.by,
        interval=params.interval,
        kpis=list(load.kpis),
        dimensions=list(load.dimensions),
        points=[
            requests.SeriesPoint(
                at=rfc3339(it.at),
                member=it.member,
                count=it.count,
                sum=it.sum,
                average=it.sum / it.count,
                min=it.min,
                max=it.max,
            )
            for it in points
        ],
    )


def _one_of(parameter: str, value: str, known: Sequence[str]) -> str:
    if value not in known:
        there = ", ".join(known) or "none: the file has no column of times, or none of this kind"
        raise problems.bad_parameters(
            problems.invalid_parameter(parameter, f"is not in the dataset; there are: {there}")
        )
    return value


def _view(known: Known) -> requests.DatasetView:
    dataset, loads = known.dataset, known.loads
    current = next((it for it in loads if it.load_id == dataset.current_load), None)
    return requests.DatasetView(
        id=dataset.dataset_id,
        name=dataset.name,
        created_by=dataset.created_by,
        created_at=rfc3339(dataset.created_at),
        kpis=list(current.kpis) if current else [],
        dimensions=list(current.dimensions) if current else [],
        first_at=_text(current.first_at) if current else None,
        last_at=_text(current.last_at) if current else None,
        rows=(current.loaded or 0) if current else 0,
        loads=[_load(it) for it in loads],
    )


def _load(load: DatasetLoad) -> requests.DatasetLoadView:
    return requests.DatasetLoadView(
        load_id=load.load_id,
        state=LoadState(load.state).value,
        file_name=load.file_name,
        bytes=load.bytes,
        records=load.records,
        loaded=load.loaded,
        rejected=load.rejected,
        copied=load.copied,
        reason=load.reason,
        created_by=load.created_by,
        created_at=rfc3339(load.created_at),
        updated_at=rfc3339(load.updated_at),
    )


def _proposal(loads: Sequence[DatasetLoad]) -> requests.DatasetProposal | None:
    newest = next(iter(loads), None)
    found = newest.proposal if newest and newest.state == LoadState.INSPECTED else None
    if found is None:
        return None
    reasons = {it.subject: it.reason for it in found.guesses}
    columns = [
        requests.DatasetColumn(
            name=it.name,
            type=it.type,
            question=it.question,
            reason=reasons.get(f"column {it.name}", ""),
        )
        for it in found.recipe.columns
    ]
    return requests.DatasetProposal(
        time=found.recipe.time,
        columns=columns,
        guesses=[
            requests.FileGuess(**it.model_dump())
            for it in found.guesses
            if not it.subject.startswith("column ")
        ],
        sample=[list(row) for row in found.sample],
    )


def _text(moment: datetime | None) -> str | None:
    return rfc3339(moment) if moment else None


def _route(  # noqa: PLR0913 - the columns of the table of routes
    method_and_path: str,
    summary: str,
    handler: Handler,
    response_model: type[ResponseModel],
    *,
    body: type[BaseModel] | None = None,
    params: type[RequestParams] = requests.DatasetParams,
    status: int = 200,
) -> DatasetRoute:
    method, _, path = method_and_path.partition(" ")
    return DatasetRoute(
        method=method,
        path=path,
        summary=summary,
        handler=handler,
        response_model=response_model,
        body_model=body,
        params_model=params,
        roles=ROLES if method == "GET" else EDITORS,
        status=status,
    )


# An id may hold any character, a slash among them: the longer paths come first.
ROUTES: Final = (
    _route(
        "POST /api/datasets/{datasetId}/loads/{loadId}",
        "Load an inspected file",
        _confirm,
        requests.StartedLoad,
        body=requests.LoadAnswers,
        params=requests.LoadParams,
        status=202,
    ),
    _route(
        "POST /api/datasets/{datasetId}/loads",
        "Upload another file in place of the one before",
        _upload,
        requests.UploadFormView,
        body=requests.NewUpload,
        status=201,
    ),
    _route(
        "GET /api/datasets/{datasetId}/series",
        "Numbers over time",
        _series,
        requests.SeriesView,
        params=requests.SeriesParams,
    ),
    _route(
        "GET /api/datasets/{datasetId}/errors", "Values that did not fit", _errors, requests.RejectedValues
    ),
    _route("GET /api/datasets/{datasetId}/file", "The rows as a file", _download, requests.FileLink),
    _route(
        "GET /api/datasets/{datasetId}", "One dataset with its last loads", _show, requests.DatasetDetails
    ),
    _route("DELETE /api/datasets/{datasetId}", "Delete a dataset with its files", _remove, requests.Removed),
    _route(
        "GET /api/datasets",
        "Datasets, each with its current load and its last",
        _list,
        requests.DatasetViews,
        params=NoParams,
    ),
    _route(
        "POST /api/datasets",
        "Add a dataset: get a form to upload its file with",
        _create,
        requests.UploadFormView,
        body=requests.NewDataset,
        params=NoParams,
        status=201,
    ),
)


def build(
    api: Api,
    writers: Writers,
    *,
    allowed_origins: Sequence[str],
    telemetry: Telemetry,
) -> HttpApi[DatasetRoute]:
    def handle(route: DatasetRoute, request: Request, path_params: Mapping[str, str]) -> Response[str]:
        caller = caller_of(request.claims, api.clock().astimezone(UTC))
        require(route, caller)
        if route.method != "GET":
            caller = writers.admit(route, caller)
        params = parse(route.params_model, [*path_params.items(), *request.query])
        body = parse_body(route.body_model, request.json(MAX_BODY_BYTES)) if route.body_model else None
        data = route.handler(api, Call(caller, params, body))
        response = json.dumps({"data": data.model_dump(mode="json")})
        return Response(route.status, JSON_MEDIA_TYPE, response, {"cache-control": route.caching.value})

    return HttpApi(
        routes=ROUTES,
        handle=handle,
        document_path=DOCUMENT_PATH,
        allowed_origins=allowed_origins,
        clock=api.clock,
        telemetry=telemetry,
    )
