"""The whole stack with Stripe as its gateway, by a server on this machine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.environment.environment import open_environment
from scripts.local import processes, stack
from scripts.local.aws import emulator as ministack
from scripts.local.stack import StackOptions
from scripts.local.stripe import STRIPE
from tests.support.pipeline_client import PipelineClient
from tests.support.polling import wait_until

pytestmark = [pytest.mark.stack, pytest.mark.heavy]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "home"
    stack.reset(home=tmp_path / "home")


def test_cards_and_banks_pay_orders_and_the_server_ends_when_another_gateway_is_chosen(home: Path) -> None:
    options = StackOptions(port=ministack.free_port(), gateway="stripe")
    state = stack.up(options, home=home)
    server = state.process(STRIPE)
    assert server is not None
    environment = open_environment("local", home=home)
    pipeline = PipelineClient(environment)
    sku = pipeline.create_sku(10)
    expected = {
        "pm_card_visa": ("CONFIRMED", None),
        "pm_card_chargeDeclined": ("CANCELLED", "payment_failed"),
        # Their banks decide after the answer to the call: only the webhook can settle these.
        "pm_debit": ("CONFIRMED", None),
        "pm_debit_fails": ("CANCELLED", "payment_failed"),
    }

    for method in expected:
        pipeline.place(pipeline.order(method, sku, 1, paymentMethod=method))
    for method, (status, _) in expected.items():
        pipeline.wait_for_status(method, status)

    reasons = {method: pipeline.get(method).reason for method in expected}
    assert reasons == {method: reason for method, (_, reason) in expected.items()}
    stack.up(StackOptions(), home=home)
    wait_until(lambda: processes.find(server) is None, "the Stripe server ends")
