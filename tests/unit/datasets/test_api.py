"""Every path of datasets is a route of the gateway, and no route leads nowhere."""

from scripts.environment.topology import Topology
from services.datasets.api import ROUTES


def test_the_paths_that_are_served_are_those_that_are_deployed() -> None:
    deployed = Topology.load().endpoints["datasets"].routes

    assert {f"{it.method} {it.path}" for it in ROUTES} == set(deployed)
