"""What an environment costs around its orders: network, keys, alarms, traces, users, who watches. Pure."""

from collections.abc import Iterator

from scripts.cost import prices
from scripts.cost.environment import Environment, Monitoring
from scripts.cost.lines import Line, Nature
from scripts.cost.model import Model
from scripts.cost.prices import GIB, HOURS_A_MONTH, MINUTES_A_MONTH, SECONDS_A_MONTH
from scripts.cost.read_side import Projection

_FIXED = Nature.FIXED
_SCRAPES = MINUTES_A_MONTH * 2

USERS = 10
"""Who sign in to analytics in a month. Assumed."""
QUESTIONS = 10_000
"""What they ask in a month. Assumed."""
_SECONDS_A_QUESTION = 0.02
"""At the median; the slowest of the benchmark `analytics` takes 7 ms, on a processor of its own."""
_TRACED_A_SECOND, _TRACED_BEYOND = 1.0, 0.05
"""Lambda records the first call of a function in each second, and one of twenty others."""
_LINE_BYTES = 250
"""Of the gateway's log of who asked."""
_FLOWS, _FLOW_BYTES, _INTERVALS = 100, 140, MINUTES_A_MONTH / 10
"""Connections in a zone that the network's log has a line for every ten minutes. Assumed."""
_VITALS_BYTES = 10_000
"""What RDS logs of an instance each minute. Assumed."""
_IMAGE_GIB = 1.0
"""What comes through NAT besides scrapes: images, when the task is started. Assumed."""
_CAPACITY_UNITS = 0.1
"""Of the load balancer, for a few people. Assumed."""
_CONTAINER_METRICS = 29
"""Container Insights of one cluster, one service and one kind of task. As known."""
_FREE_DISK_GIB = 20


def surroundings(
    model: Model, environment: Environment, orders: float, projection: Projection | None
) -> Iterator[Line]:
    """Price what is there besides pipeline and database."""
    yield from _network(environment, projection)
    yield from _counted(model, environment)
    yield from _starts(model, environment)
    if environment.traced:
        yield from _traces(model, orders, projection)
    if environment.monitoring:
        yield from _monitoring(model, environment, environment.monitoring)
    if projection:
        yield from _questions(model)


def _network(environment: Environment, projection: Projection | None) -> Iterator[Line]:
    hours = environment.number_of("aws_vpc_endpoint") * environment.zones * HOURS_A_MONTH
    yield Line("Network", "interface endpoints", hours, prices.ENDPOINT_HOUR, _FIXED)
    gateways = environment.number_of("aws_nat_gateway") * HOURS_A_MONTH
    yield Line("Network", "NAT gateways", gateways, prices.NAT_HOUR, _FIXED)
    addresses = environment.number_of("aws_eip") * HOURS_A_MONTH
    yield Line("Network", "public addresses", addresses, prices.ADDRESS_HOUR, _FIXED)
    logs = environment.number_of("aws_flow_log")
    flows = logs * environment.zones * _FLOWS * _FLOW_BYTES * _INTERVALS / GIB
    yield Line("CloudWatch", "flow logs", flows, prices.LOGS_INGESTED, _FIXED)
    if projection:
        vitals = projection.database.instances * MINUTES_A_MONTH * _VITALS_BYTES / GIB
        yield Line("CloudWatch", "vital signs of the database: log", vitals, prices.LOGS_INGESTED, _FIXED)


def _counted(model: Model, environment: Environment) -> Iterator[Line]:
    keys, secrets = environment.number_of("aws_kms_key"), environment.number_of("aws_secretsmanager_secret")
    yield Line("KMS", "keys", keys, prices.KEY, _FIXED)
    yield Line("Secrets Manager", "secrets", secrets, prices.SECRET, _FIXED)
    # Those on dead-letter queues are counted with the queues.
    alarms = environment.number_of("aws_cloudwatch_metric_alarm") - len(model.topology.consumers)
    yield Line("CloudWatch", "metrics that other alarms look at", alarms, prices.ALARM, _FIXED)
    both = environment.number_of("aws_cloudwatch_composite_alarm")
    yield Line("CloudWatch", "composite alarms", both, prices.COMPOSITE_ALARM, _FIXED)
    answered = _SCRAPES * model.assumed.scrapers * _LINE_BYTES / GIB
    yield Line("CloudWatch", "the gateway's log", answered, prices.LOGS_INGESTED, _FIXED)


def _starts(model: Model, environment: Environment) -> Iterator[Line]:
    for name, starts in environment.starts.items():
        kept = model.topology.function(name).memory_mb / 1024 * SECONDS_A_MONTH
        warm = kept * starts.kept_warm
        yield Line("Lambda", f"{name}: kept warm", warm, prices.LAMBDA_PROVISIONED, _FIXED)
        # Of the version that is called; those before it are billed as well, as long as they are there.
        yield Line("Lambda", f"{name}: snapshot", kept * starts.snapshot, prices.LAMBDA_SNAPSHOT_KEPT, _FIXED)


def _traces(model: Model, orders: float, projection: Projection | None) -> Iterator[Line]:
    upkeep = recorded(model.collections) + recorded(_SCRAPES * model.assumed.scrapers)
    yield Line("X-Ray", "collections and scrapes", upkeep, prices.TRACE_RECORDED, _FIXED)
    batches = model.batches(orders / SECONDS_A_MONTH)
    calls = [orders * model.each(f"{name}.invocations", batch) for name, batch in batches.items()]
    if projection:
        calls.append(projection.calls)
        yield Line("X-Ray", "questions", recorded(QUESTIONS), prices.TRACE_RECORDED, _FIXED)
    traced = sum(map(recorded, calls))
    yield Line("X-Ray", "calls for orders", traced, prices.TRACE_RECORDED, Nature.ORDER)


def recorded(calls: float) -> float:
    """Say of how many calls of a function in a month there are traces, as long as they come evenly."""
    per_second = calls / SECONDS_A_MONTH
    first = min(per_second, _TRACED_A_SECOND)
    return (first + _TRACED_BEYOND * (per_second - first)) * SECONDS_A_MONTH


def _monitoring(model: Model, environment: Environment, monitoring: Monitoring) -> Iterator[Line]:
    hours = environment.number_of("aws_ecs_service") * HOURS_A_MONTH
    yield Line("Fargate", "processor", hours * monitoring.cpu_units / 1024, prices.FARGATE_CPU, _FIXED)
    yield Line("Fargate", "memory", hours * monitoring.memory_mib / 1024, prices.FARGATE_MEMORY, _FIXED)
    disk = max(0.0, monitoring.disk_gib - _FREE_DISK_GIB)
    yield Line("Fargate", "disk", hours * disk, prices.FARGATE_DISK, _FIXED)
    yield Line("CloudWatch", "Container Insights", _CONTAINER_METRICS, prices.CUSTOM_METRIC, _FIXED)
    balancers = environment.number_of("aws_lb") * HOURS_A_MONTH
    yield Line("Load balancer", "hours", balancers, prices.BALANCER_HOUR, _FIXED)
    yield Line("Load balancer", "capacity", balancers * _CAPACITY_UNITS, prices.BALANCER_UNIT, _FIXED)
    if not monitoring.internal:
        yield Line("Network", "its addresses", balancers * environment.zones, prices.ADDRESS_HOUR, _FIXED)
    scraped = _SCRAPES * model.figures.upkeep("scrape.pageBytes") / GIB + _IMAGE_GIB
    yield Line("Network", "through NAT", scraped, prices.NAT_PROCESSED, _FIXED)


def _questions(model: Model) -> Iterator[Line]:
    gigabytes = model.topology.function("analytics").memory_mb / 1024
    yield Line("Cognito", "users", USERS, prices.ACTIVE_USER, _FIXED)
    yield Line("API Gateway", "questions", QUESTIONS, prices.HTTP_API_REQUEST, _FIXED)
    yield Line("Lambda", "analytics: calls", QUESTIONS, prices.LAMBDA_REQUEST, _FIXED)
    busy = QUESTIONS * _SECONDS_A_QUESTION * gigabytes
    yield Line("Lambda", "analytics: GB-s", busy, prices.LAMBDA_GB_SECOND, _FIXED)
