import pytest

from tests.postgres.api.client import Desk, make_tenant
from tests.postgres.conftest import Analytics


@pytest.fixture
def desk(analytics: Analytics) -> Desk:
    """The API of a database with the tenant acme, of which nothing is known yet."""
    make_tenant(analytics, "acme")
    return Desk(analytics.api)
