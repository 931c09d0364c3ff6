"""What it adds to the bill that orders come over HTTP, rather than as events that a shop publishes. Pure."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from scripts.common.errors import ToolError
from scripts.common.project_files import project_file
from scripts.cost import prices
from scripts.cost.bill import BillLine, CostDriver
from scripts.cost.prices import GIB, HOURS_A_MONTH

if TYPE_CHECKING:
    from scripts.cost.model import Model

SUMMARY = project_file("docs/benchmarks/summaries/http-orders.json")

FUNCTION: Final = "commands"
AT_REST, IN_A_BURST = "a caller at rest", "within a caller's burst"
FIGURES = ("cpuMs", "stages", "readUnits", "writeUnits", "storedBytes", "logBytes")

ACCESS_LOG_BYTES: Final = 250
"""A line of the access log of the HTTP API."""
_ITEM_OVERHEAD = 100
_RECEIPT_DAYS = 35
_DAYS_A_MONTH = HOURS_A_MONTH / 24


@dataclass(frozen=True, slots=True)
class HttpOrderFigures:
    """What the function takes to accept an order, as the benchmark `http-orders` measured it."""

    medians: Mapping[str, float]

    @classmethod
    def load(cls, path: Path = SUMMARY, scenario: str = AT_REST) -> Self:
        try:
            medians = json.loads(path.read_text(encoding="utf-8"))["medians"][scenario]
            return cls({figure: float(medians[figure]) for figure in FIGURES})
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise ToolError(
                f"{path} is not a result of the benchmark; run `make bench NAME=http-orders`."
            ) from error


def way_in_costs(model: "Model", figures: HttpOrderFigures, orders: float) -> Iterator[BillLine]:
    """Costs of the gateway and of the function; the event itself costs the same as a shop's."""
    per_order, each = CostDriver.ORDER, figures.medians
    log_months = model.topology.settings.log_days / _DAYS_A_MONTH
    gigabytes = model.topology.function(FUNCTION).memory_mb / 1024
    busy = orders * model.seconds(FUNCTION, each["cpuMs"], each["stages"]) * gigabytes
    stored = orders * (each["storedBytes"] + _ITEM_OVERHEAD) / GIB * _RECEIPT_DAYS / _DAYS_A_MONTH
    for service, name, quantity, price in (
        ("API Gateway", "orders over HTTP", orders, prices.HTTP_API_REQUEST),
        ("Lambda", f"{FUNCTION}: GB-s", busy, prices.LAMBDA_GB_SECOND),
        ("Lambda", f"{FUNCTION}: invocations", orders, prices.LAMBDA_REQUEST),
        ("DynamoDB", f"{FUNCTION}: reads", orders * each["readUnits"], prices.DYNAMODB_READ_UNIT),
        ("DynamoDB", f"{FUNCTION}: writes", orders * each["writeUnits"], prices.DYNAMODB_WRITE_UNIT),
        ("DynamoDB", "storage of receipts", stored, prices.DYNAMODB_STORAGE),
        ("DynamoDB", "point-in-time recovery of receipts", stored, prices.DYNAMODB_RECOVERY),
    ):
        yield BillLine(service, name, quantity, price, per_order)
    for name, size in ((f"{FUNCTION}: log", each["logBytes"]), ("access log of orders", ACCESS_LOG_BYTES)):
        log = orders * size / GIB
        yield BillLine("CloudWatch", name, log, prices.LOGS_INGESTED, per_order)
        yield BillLine("CloudWatch", f"{name}, storage", log * log_months, prices.LOGS_STORAGE, per_order)
