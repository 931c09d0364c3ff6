import pytest

from tests.postgres.api.client import ApiClient, make_tenant
from tests.postgres.conftest import Analytics


@pytest.fixture
def client(analytics: Analytics) -> ApiClient:
    """The API of a database with the tenant acme, which has no rows yet."""
    make_tenant(analytics, "acme")
    return ApiClient(analytics.api)
