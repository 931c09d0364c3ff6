"""The bodies and parameters of the routes of datasets, and their responses."""

from typing import Annotated, Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from services.datasets.domain import MAX_BYTES, ColumnType, DateOrder, DecimalMark
from services.shared.events import Identifier, Text
from services.shared.http.params import Day, RequestParams
from services.shared.http.responses import ResponseModel

_DATE_TIME: Final = Field(json_schema_extra={"format": "date-time"})
Question: TypeAlias = Literal["date-order", "decimal"]
Interval = Literal["hour", "day", "week", "month", "quarter", "year"]
FileName = Annotated[
    str, StringConstraints(pattern=r"^[^/\\\x00-\x1f\x7f-\x9f]+$", min_length=1, max_length=255)
]
State = Literal["waiting", "uploaded", "inspected", "loading", "ready", "replaced", "unchanged", "failed"]


class _Body(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True, defer_build=True
    )


class NewUpload(_Body):
    file_name: FileName
    automatic: Annotated[
        bool,
        Field(
            description="Load the file without a confirmation, unless a question is open. The first file of "
            "a dataset is read as it was guessed, later ones as the one before."
        ),
    ] = False


class NewDataset(NewUpload):
    name: Text


class LoadAnswers(_Body):
    time: Annotated[
        str | None, Field(max_length=1_000, description="The column that says when each row was.")
    ] = None
    types: Annotated[dict[str, ColumnType], Field(description="Types of columns, by name.")] = Field(
        default_factory=dict, max_length=500
    )
    date_orders: Annotated[dict[str, DateOrder], Field(description="Orders of dates, by column.")] = Field(
        default_factory=dict, max_length=500
    )
    decimals: Annotated[dict[str, DecimalMark], Field(description="Decimal marks, by column.")] = Field(
        default_factory=dict, max_length=500
    )


class DatasetParams(RequestParams):
    dataset_id: Annotated[Identifier, Field(alias="datasetId", description="The dataset's id.")]


class LoadParams(DatasetParams):
    load_id: Annotated[int, Field(alias="loadId", ge=1, le=2**31, description="The load's number.")]


class SeriesParams(DatasetParams):
    kpi: Annotated[str | None, Field(description="A column of numbers; by default the dataset's first.")] = (
        None
    )
    by: Annotated[str | None, Field(description="A column of texts that divides the numbers.")] = None
    interval: Annotated[Interval, Field(description="What one point sums up; weeks begin on Monday.")] = "day"
    since: Annotated[Day | None, Field(alias="from", description="From this day (UTC) on.")] = None
    until: Annotated[Day | None, Field(alias="to", description="Before this day (UTC), exclusive.")] = None


class DatasetColumn(ResponseModel):
    name: str
    type: Annotated[str, Field(description="text, integer, number, date or timestamp.")]
    question: Annotated[Question | None, Field(description="What has to be chosen before a load.")]
    reason: Annotated[str, Field(description="Why the type was guessed.")]


class FileGuess(ResponseModel):
    subject: str
    value: str
    reason: str


class DatasetProposal(ResponseModel):
    time: Annotated[str | None, Field(description="The column that says when each row was.")]
    columns: list[DatasetColumn]
    guesses: Annotated[list[FileGuess], Field(description="Encoding, delimiter, header.")]
    sample: Annotated[list[list[str | None]], Field(description="The first rows.")]


class DatasetLoadView(ResponseModel):
    load_id: int
    state: State
    file_name: str
    bytes: int | None
    records: int | None
    loaded: Annotated[int | None, Field(description="Rows that fit.")]
    rejected: int | None
    copied: Annotated[int, Field(description="Of the rows that fit, those that are copied: progress.")]
    reason: Annotated[str | None, Field(description="Why it failed, or changed nothing.")]
    created_by: str
    created_at: Annotated[str, _DATE_TIME]
    updated_at: Annotated[str, _DATE_TIME]


class DatasetView(ResponseModel):
    id: str
    name: str
    created_by: str
    created_at: Annotated[str, _DATE_TIME]
    kpis: Annotated[list[str], Field(description="Of the rows that are read.")]
    dimensions: list[str]
    first_at: Annotated[str | None, _DATE_TIME]
    last_at: Annotated[str | None, _DATE_TIME]
    rows: int
    loads: Annotated[list[DatasetLoadView], Field(description="The newest first.")]


class DatasetDetails(DatasetView):
    proposal: Annotated[
        DatasetProposal | None, Field(description="Of a load that waits until somebody confirms it.")
    ]


class DatasetViews(ResponseModel):
    datasets: list[DatasetView]


class UploadFormView(ResponseModel):
    dataset_id: str
    load_id: int
    url: Annotated[str, Field(description="POST the fields and then the file, as multipart/form-data.")]
    fields: dict[str, str]
    max_bytes: int = MAX_BYTES
    expires_at: Annotated[str, _DATE_TIME]


class StartedLoad(ResponseModel):
    dataset_id: str
    load_id: int


class RejectedValue(ResponseModel):
    line: int
    column: str
    reason: str
    expected: str
    raw: str


class RejectedValues(ResponseModel):
    load_id: int
    rejected: Annotated[int, Field(description="Rows.")]
    errors: Annotated[list[RejectedValue], Field(description="The first 100 faults; all are in the file.")]
    url: Annotated[str, Field(description="Downloads all faults as CSV, for five minutes.")]


class FileLink(ResponseModel):
    url: Annotated[str, Field(description="Downloads the rows as Parquet, for five minutes.")]


class SeriesPoint(ResponseModel):
    at: Annotated[str, _DATE_TIME]
    member: Annotated[str, Field(description="Of the column in `by`; empty without it.")]
    count: int
    sum: float
    average: float
    min: float
    max: float


class SeriesView(ResponseModel):
    kpi: str
    by: str | None
    interval: Interval
    kpis: list[str]
    dimensions: list[str]
    points: list[SeriesPoint]


class Removed(ResponseModel):
    removed: Literal[True] = True
