"""Costs of an environment besides its orders: network, keys, alarms, traces, users, monitoring. Pure."""

from collections.abc import Iterator

from scripts.cost import prices
from scripts.cost.bill import BillLine, CostDriver
from scripts.cost.environments import WEB_ACL_RULES, EnvironmentSize, MonitoringSize
from scripts.cost.model import Model
from scripts.cost.prices import GIB, HOURS_A_MONTH, MINUTES_A_MONTH, SECONDS_A_MONTH
from scripts.cost.read_side import ReadSideMonth
from scripts.cost.way_in import ACCESS_LOG_BYTES

_FIXED = CostDriver.FIXED
_SCRAPES = MINUTES_A_MONTH * 2

USERS = 10
"""Users of analytics in a month. Assumed."""
API_REQUESTS = 10_000
"""Requests to the analytics API in a month. Assumed."""
_SECONDS_A_REQUEST = 0.02
"""At the median; the slowest query of the benchmark `analytics` takes 7 ms on a whole processor."""
_TRACED_A_SECOND, _TRACED_BEYOND = 1.0, 0.05
"""Lambda traces the first invocation of a function in each second, and 5 % of the others."""
_FLOWS, _FLOW_BYTES, _INTERVALS = 100, 140, MINUTES_A_MONTH / 10
"""Connections per zone, each with a line in the flow log every ten minutes. Assumed."""
_DATABASE_METRICS_BYTES = 10_000
"""What Enhanced Monitoring logs per instance and minute. Assumed."""
_IMAGE_GIB = 1.0
"""Container images that come through NAT when the task starts. Assumed."""
_CAPACITY_UNITS = 0.1
"""Of the load balancer, for a few users. Assumed."""
_CONTAINER_METRICS = 29
"""Container Insights of one cluster, one service and one task definition. As known."""
_FREE_DISK_GIB = 20


def environment_costs(
    model: Model, environment: EnvironmentSize, orders: float, read_side: ReadSideMonth | None
) -> Iterator[BillLine]:
    """Costs besides the pipeline and the database."""
    yield from _network(environment, read_side)
    yield from _counted(model, environment)
    yield from _cold_starts(model, environment)
    if environment.traced:
        yield from _traces(model, orders, read_side)
    if environment.monitoring:
        yield from _monitoring(model, environment, environment.monitoring)
    if read_side:
        yield from _api_users(model)


def _network(environment: EnvironmentSize, read_side: ReadSideMonth | None) -> Iterator[BillLine]:
    hours = environment.number_of("aws_vpc_endpoint") * environment.zones * HOURS_A_MONTH
    yield BillLine("Network", "interface endpoints", hours, prices.ENDPOINT_HOUR, _FIXED)
    gateways = environment.number_of("aws_nat_gateway") * HOURS_A_MONTH
    yield BillLine("Network", "NAT gateways", gateways, prices.NAT_HOUR, _FIXED)
    addresses = environment.number_of("aws_eip") * HOURS_A_MONTH
    yield BillLine("Network", "public addresses", addresses, prices.ADDRESS_HOUR, _FIXED)
    logs = environment.number_of("aws_flow_log")
    flows = logs * environment.zones * _FLOWS * _FLOW_BYTES * _INTERVALS / GIB
    yield BillLine("CloudWatch", "flow logs", flows, prices.LOGS_INGESTED, _FIXED)
    if read_side:
        log = read_side.database.instances * MINUTES_A_MONTH * _DATABASE_METRICS_BYTES / GIB
        yield BillLine("CloudWatch", "database monitoring: log", log, prices.LOGS_INGESTED, _FIXED)


def _counted(model: Model, environment: EnvironmentSize) -> Iterator[BillLine]:
    keys, secrets = environment.number_of("aws_kms_key"), environment.number_of("aws_secretsmanager_secret")
    yield BillLine("KMS", "keys", keys, prices.KEY, _FIXED)
    yield BillLine("Secrets Manager", "secrets", secrets, prices.SECRET, _FIXED)
    acls, rules = environment.number_of("aws_wafv2_web_acl"), environment.number_of(WEB_ACL_RULES)
    if acls:
        yield BillLine("WAF", "web ACLs", acls, prices.WEB_ACL, _FIXED)
        yield BillLine("WAF", "rules", rules, prices.WEB_ACL_RULE, _FIXED)
    # Alarms on dead-letter queues are part of the pipeline's costs.
    alarms = environment.number_of("aws_cloudwatch_metric_alarm") - len(model.topology.consumers)
    yield BillLine("CloudWatch", "metrics of other alarms", alarms, prices.ALARM, _FIXED)
    composite = environment.number_of("aws_cloudwatch_composite_alarm")
    yield BillLine("CloudWatch", "composite alarms", composite, prices.COMPOSITE_ALARM, _FIXED)
    access_log = _SCRAPES * model.assumed.scrapers * ACCESS_LOG_BYTES / GIB
    yield BillLine("CloudWatch", "access log of the API", access_log, prices.LOGS_INGESTED, _FIXED)


def _cold_starts(model: Model, environment: EnvironmentSize) -> Iterator[BillLine]:
    for name, settings in environment.cold_starts.items():
        gb_seconds = model.topology.function(name).memory_mb / 1024 * SECONDS_A_MONTH
        provisioned = gb_seconds * settings.provisioned
        yield BillLine(
            "Lambda", f"{name}: provisioned concurrency", provisioned, prices.LAMBDA_PROVISIONED, _FIXED
        )
        # Of the current version; earlier versions are billed as well, as long as they exist.
        yield BillLine(
            "Lambda",
            f"{name}: snapshot",
            gb_seconds * settings.snapshot,
            prices.LAMBDA_SNAPSHOT_STORAGE,
            _FIXED,
        )


def _traces(model: Model, orders: float, read_side: ReadSideMonth | None) -> Iterator[BillLine]:
    scheduled = recorded(model.collections) + recorded(_SCRAPES * model.assumed.scrapers)
    yield BillLine("X-Ray", "collections and scrapes", scheduled, prices.TRACE_RECORDED, _FIXED)
    batches = model.batches(orders / SECONDS_A_MONTH)
    calls = [orders * model.each(f"{name}.invocations", batch) for name, batch in batches.items()]
    if read_side:
        calls.append(read_side.calls)
        yield BillLine("X-Ray", "API requests", recorded(API_REQUESTS), prices.TRACE_RECORDED, _FIXED)
    if model.http:
        calls.append(orders)
    traced = sum(map(recorded, calls))
    yield BillLine("X-Ray", "invocations for orders", traced, prices.TRACE_RECORDED, CostDriver.ORDER)


def recorded(calls: float) -> float:
    """Traces of a function in a month with so many invocations, evenly spread."""
    per_second = calls / SECONDS_A_MONTH
    first = min(per_second, _TRACED_A_SECOND)
    return (first + _TRACED_BEYOND * (per_second - first)) * SECONDS_A_MONTH


def _monitoring(model: Model, environment: EnvironmentSize, monitoring: MonitoringSize) -> Iterator[BillLine]:
    hours = environment.number_of("aws_ecs_service") * HOURS_A_MONTH
    yield BillLine("Fargate", "processor", hours * monitoring.cpu_units / 1024, prices.FARGATE_CPU, _FIXED)
    yield BillLine("Fargate", "memory", hours * monitoring.memory_mib / 1024, prices.FARGATE_MEMORY, _FIXED)
    disk = max(0.0, monitoring.disk_gib - _FREE_DISK_GIB)
    yield BillLine("Fargate", "disk", hours * disk, prices.FARGATE_DISK, _FIXED)
    yield BillLine("CloudWatch", "Container Insights", _CONTAINER_METRICS, prices.CUSTOM_METRIC, _FIXED)
    balancers = environment.number_of("aws_lb") * HOURS_A_MONTH
    yield BillLine("Load balancer", "hours", balancers, prices.BALANCER_HOUR, _FIXED)
    yield BillLine("Load balancer", "capacity", balancers * _CAPACITY_UNITS, prices.BALANCER_UNIT, _FIXED)
    if not monitoring.internal:
        yield BillLine(
            "Network", "load balancer addresses", balancers * environment.zones, prices.ADDRESS_HOUR, _FIXED
        )
    scraped = _SCRAPES * model.figures.scheduled("scrape.pageBytes") / GIB + _IMAGE_GIB
    yield BillLine("Network", "NAT traffic", scraped, prices.NAT_PROCESSED, _FIXED)


def _api_users(model: Model) -> Iterator[BillLine]:
    gigabytes = model.topology.function("analytics").memory_mb / 1024
    yield BillLine("Cognito", "users", USERS, prices.ACTIVE_USER, _FIXED)
    yield BillLine("API Gateway", "API requests", API_REQUESTS, prices.HTTP_API_REQUEST, _FIXED)
    yield BillLine("Lambda", "analytics: invocations", API_REQUESTS, prices.LAMBDA_REQUEST, _FIXED)
    busy = API_REQUESTS * _SECONDS_A_REQUEST * gigabytes
    yield BillLine("Lambda", "analytics: GB-s", busy, prices.LAMBDA_GB_SECOND, _FIXED)
