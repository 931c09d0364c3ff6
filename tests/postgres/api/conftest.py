import pytest

from tests.postgres.api.client import OpsContext, make_tenant
from tests.postgres.conftest import Analytics


@pytest.fixture
def ops(analytics: Analytics) -> OpsContext:
    """The API of a database with the tenant acme, of which nothing is known yet."""
    make_tenant(analytics, "acme")
    return OpsContext(analytics.api)
