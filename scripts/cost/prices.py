"""List prices of us-east-1 in US dollars, on demand, as of November 2026.

Without free tiers, volume tiers, discounts and taxes: the bill errs on the high side. `checked` names the
source of each; compare them with the price lists of AWS. After a change run `make dashboards` and
`make scale`.
"""

from dataclasses import dataclass

REGION = "us-east-1"
AS_OF = "November 2026"

MILLION = 1_000_000
GIB = 2**30
HOURS_A_MONTH = 730
MINUTES_A_MONTH = HOURS_A_MONTH * 60
SECONDS_A_MONTH = HOURS_A_MONTH * 3600


@dataclass(frozen=True, slots=True)
class Price:
    dollars: float
    per: float
    unit: str
    checked: str

    @property
    def each(self) -> float:
        return self.dollars / self.per

    def label(self) -> str:
        of = "" if self.per == 1 else f"{self.per:,.0f} "
        whole, _, cents = f"{self.dollars:.10f}".rstrip("0").partition(".")
        return f"${whole}.{cents:0<2} per {of}{self.unit}"


_CONFIRMED = "confirmed by published guides of 2025 and 2026"
_KNOWN = "as known; no newer source found"

LAMBDA_GB_SECOND = Price(0.0000133334, 1, "GB-second", f"arm64, first 7.5 billion a month; {_CONFIRMED}")
LAMBDA_REQUEST = Price(0.20, MILLION, "requests", _CONFIRMED)
EVENTBRIDGE_EVENT = Price(
    1.00,
    MILLION,
    "events",
    f"custom events, each 64 KB begun; deliveries to queues are free; {_CONFIRMED}",
)
EVENTBRIDGE_ARCHIVED = Price(0.10, 1, "GB archived", _CONFIRMED)
EVENTBRIDGE_ARCHIVE_STORAGE = Price(
    0.023, 1, "GB-month in the archive", f"{_CONFIRMED}; one of them says 0.10"
)
SCHEDULER_CALL = Price(1.00, MILLION, "schedules run", f"14 million a month are free; {_CONFIRMED}")
SQS_REQUEST = Price(0.40, MILLION, "requests", f"standard queues, each 64 KB begun; {_CONFIRMED}")
DYNAMODB_WRITE_UNIT = Price(0.625, MILLION, "write units", f"since November 2024; {_CONFIRMED}")
DYNAMODB_READ_UNIT = Price(0.125, MILLION, "read units", f"since November 2024; {_CONFIRMED}")
DYNAMODB_STORAGE = Price(0.25, 1, "GB-month in tables", _KNOWN)
DYNAMODB_RECOVERY = Price(0.20, 1, "GB-month of point-in-time recovery", _KNOWN)
LOGS_INGESTED = Price(0.50, 1, "GB of log", f"first 10 TB a month; {_CONFIRMED}")
LOGS_STORAGE = Price(
    0.03, 1, "GB-month of log", f"of compressed log; counted here as if it were not; {_KNOWN}"
)
CUSTOM_METRIC = Price(
    0.30, 1, "metric-months", f"first 10,000, for the hours in which they have data; {_CONFIRMED}"
)
METRIC_REQUESTED = Price(0.01, 1000, "metrics requested", f"GetMetricData; {_CONFIRMED}")
ALARM = Price(
    0.10,
    1,
    "alarm-months",
    f"standard resolution; infracost, too, counts each metric of an alarm; {_CONFIRMED}",
)
HTTP_API_REQUEST = Price(1.00, MILLION, "requests", f"first 300 million a month; {_KNOWN}")


LAMBDA_SNAPSHOT_STORAGE = Price(
    0.0000015046,
    1,
    "GB-seconds of snapshot storage",
    f"for each version published, 3 hours at least; {_CONFIRMED}",
)
LAMBDA_SNAPSHOT_RESTORED = Price(0.0001397998, 1, "GB restored", f"at each cold start; {_CONFIRMED}")
LAMBDA_PROVISIONED = Price(0.0000033334, 1, "GB-seconds of provisioned concurrency", f"arm64; {_KNOWN}")
AURORA_CAPACITY = Price(0.12, 1, "ACU-hours", f"Serverless v2, Standard; {_CONFIRMED}")
AURORA_IO = Price(0.20, MILLION, "reads and writes", f"Aurora Standard; {_CONFIRMED}")
AURORA_STORAGE = Price(0.10, 1, "GB-month in the database", f"Aurora Standard; {_CONFIRMED}")
AURORA_BACKUP = Price(0.021, 1, "GB-month of backup", f"beyond one day; {_KNOWN}")
PROXY_CAPACITY = Price(
    0.015,
    1,
    "ACU-hours behind a proxy",
    "8 ACU at least: confirmed by a guide of 2024; assumed once per cluster: no source says so",
)
ENDPOINT_HOUR = Price(0.01, 1, "endpoint-hours in a zone", _CONFIRMED)
NAT_HOUR = Price(0.045, 1, "NAT gateway-hours", _CONFIRMED)
NAT_PROCESSED = Price(0.045, 1, "GB through NAT", _CONFIRMED)
ADDRESS_HOUR = Price(0.005, 1, "public IPv4 address-hours", f"since February 2024; {_CONFIRMED}")
BALANCER_HOUR = Price(0.0225, 1, "load balancer-hours", _KNOWN)
BALANCER_UNIT = Price(0.008, 1, "LCU-hours", _KNOWN)
FARGATE_CPU = Price(0.03238, 1, "vCPU-hours", f"Linux, arm64; {_CONFIRMED}")
FARGATE_MEMORY = Price(0.00356, 1, "GB-hours", f"Linux, arm64; {_CONFIRMED}")
FARGATE_DISK = Price(0.000111, 1, "GB-hours of disk", f"beyond 20 GB; {_CONFIRMED}")
KEY = Price(1.00, 1, "key-months", f"and $1 more for each of its first two rotations; {_KNOWN}")
SECRET = Price(0.40, 1, "secret-months", _KNOWN)
WEB_ACL = Price(5.00, 1, "web ACL-months", _KNOWN)
WEB_ACL_RULE = Price(1.00, 1, "rule-months", f"a managed group counts as one; {_KNOWN}")
COMPOSITE_ALARM = Price(0.50, 1, "composite alarm-months", _CONFIRMED)
ACTIVE_USER = Price(0.015, 1, "users active in the month", f"Essentials, the tier of a new pool; {_KNOWN}")
TRACE_RECORDED = Price(5.00, MILLION, "traces recorded", f"100,000 a month are free; {_CONFIRMED}")
