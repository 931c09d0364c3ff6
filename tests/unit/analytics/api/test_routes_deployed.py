"""Every path of the analytics API is a route of the gateway, and no route leads nowhere."""

import re

from scripts.environment.topology import Topology
from services.analytics.api.routes import DOCUMENT_PATH, ROUTES

SERVED = sorted({*(f"{it.method} {it.path}" for it in ROUTES), f"GET {DOCUMENT_PATH}"})
DEPLOYED = Topology.load().endpoints["analytics"].routes


def _covers(deployed: str, served: str) -> bool:
    """Match as API Gateway does: `{proxy+}` stands for one or more segments, `{name}` for one."""
    pattern = re.sub(r"{\w+\+}", ".+", deployed)
    return re.fullmatch(re.sub(r"{\w+}", "[^/]+", pattern), served) is not None


def test_every_path_that_is_served_is_deployed() -> None:
    assert [it for it in SERVED if not any(_covers(route, it) for route in DEPLOYED)] == []


def test_every_deployed_route_serves_a_path() -> None:
    assert [route for route in DEPLOYED if not any(_covers(route, it) for it in SERVED)] == []
