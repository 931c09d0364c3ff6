"""Which events a tail hears of."""

import pytest

from scripts.common.errors import ToolError
from scripts.ops.event_tail import names_of, pattern
from services.shared.events import CATALOGUE


def test_events_are_named_as_the_catalogue_or_as_webhooks_name_them() -> None:
    assert names_of(["OrderConfirmed", "refund.processed"], CATALOGUE) == [
        "OrderConfirmed",
        "RefundProcessed",
    ]


def test_an_unknown_name_is_refused_with_where_to_look() -> None:
    with pytest.raises(ToolError, match=r"there is no event order\.shipped; `pulsequeue events ls`"):
        names_of(["order.shipped"], CATALOGUE)


def test_without_a_choice_all_events_of_all_tenants_are_heard() -> None:
    assert pattern([], None) == {}


def test_a_tenant_is_matched_in_the_detail() -> None:
    assert pattern(["OrderPlaced"], "shop") == {
        "detail-type": ["OrderPlaced"],
        "detail": {"tenantId": ["shop"]},
    }


def test_the_default_tenant_is_also_that_of_events_which_name_none() -> None:
    assert pattern([], "default") == {"detail": {"tenantId": ["default", {"exists": False}]}}
