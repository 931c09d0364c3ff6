"""`pulsequeue cost` says what a month costs and which limit comes first, or in one sentence why not."""

import pytest

from tests.unit.conftest import CommandLine


def test_the_bill_shows_each_service_and_the_whole(pulsequeue: CommandLine) -> None:
    ran = pulsequeue("cost")

    assert ran.code == 0
    assert "1,000,000 orders a month" in ran.out
    for service in ("Lambda", "DynamoDB", "EventBridge", "SQS", "CloudWatch", "API Gateway", "all"):
        assert service in ran.out


def test_every_line_of_the_data_is_quantity_times_price_and_they_add_up(pulsequeue: CommandLine) -> None:
    bill = pulsequeue("cost", "--rate", "50", "--items", "3", "--decline-share", "0.1", "--json").json

    assert bill["orders"] == 50 * 730 * 3600
    for line in bill["lines"]:
        assert line["dollars"] == pytest.approx(line["quantity"] * line["price"])
    assert bill["total"] == pytest.approx(sum(line["dollars"] for line in bill["lines"]))


def test_explained_a_bill_shows_what_is_paid_for(pulsequeue: CommandLine) -> None:
    ran = pulsequeue("cost", "--explain")

    assert "orders: written" in ran.out
    assert "$0.0000133334 per GB-second" in ran.out


def test_no_orders_cost_what_is_paid_anyway(pulsequeue: CommandLine) -> None:
    bill = pulsequeue("cost", "--orders", "0", "--json").json

    assert bill["total"] == bill["withoutOrders"] > 0


def test_the_limits_begin_with_the_first_one_met(pulsequeue: CommandLine) -> None:
    ran = pulsequeue("cost", "--limits", "--rate", "100000")

    assert ran.code == 0
    assert ran.out.startswith("The first limit is ")
    assert "met at 100,000/s" in ran.out


def test_without_orders_all_of_a_limit_is_left(pulsequeue: CommandLine) -> None:
    ran = pulsequeue("cost", "--limits", "--rate", "0")

    assert ran.code == 0
    assert "not met yet at 0/s" in ran.out
    assert "all of it" in ran.out


def test_limits_as_data_say_what_an_order_takes_of_each(pulsequeue: CommandLine) -> None:
    found = pulsequeue("cost", "--limits", "--json").json

    bears = [limit["bearsPerSecond"] for limit in found if limit["bearsPerSecond"] is not None]
    assert bears == sorted(bears)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--orders", "-1"), "there cannot be -1 orders."),
        (("--rate", "-2"), "there cannot be -2 orders a second."),
        (("--orders", "1", "--rate", "1"), "give --orders a month or --rate a second, not both."),
        (("--items", "91"), "an order has 1 to 90 SKUs, not 91."),
        (("--batch", "0"), "a batch holds 1 to 99 orders, not 0."),
        (("--decline-share", "2"), "a share is a number from 0 to 1, not 2."),
        (("--reject-share", "-1"), "a share is a number from 0 to 1, not -1."),
        (
            ("--decline-share", "0.6", "--reject-share", "0.6"),
            "more orders are declined and rejected than there are.",
        ),
        (("--hot", "--items", "2"), "orders that are all for the same SKU have one SKU."),
        (("--gateway-ms", "-1"), "times and numbers of servers are 0 or more."),
        (("--orders", "nan"), "there cannot be nan orders."),
        (("--rate", "inf"), "there cannot be inf orders a second."),
        (("--limits", "--orders", "-5"), "there cannot be -5 orders."),
    ],
)
def test_what_makes_no_sense_is_answered_with_one_sentence(
    pulsequeue: CommandLine, arguments: tuple[str, ...], sentence: str
) -> None:
    ran = pulsequeue("cost", *arguments)

    assert (ran.code, ran.out, ran.err) == (2, "", f"pulsequeue: {sentence}\n")


def test_an_environment_has_a_bill_of_its_own(pulsequeue: CommandLine) -> None:
    ran = pulsequeue("cost", "--env", "prod", "--orders", "0")

    assert ran.code == 0
    assert ran.out.startswith("prod, 0 orders a month")
    for service in ("Aurora", "RDS Proxy", "Network", "KMS", "Secrets Manager", "X-Ray", "Cognito"):
        assert service in ran.out


def test_an_environment_s_bill_is_the_pipeline_s_and_more(pulsequeue: CommandLine) -> None:
    pipeline = pulsequeue("cost", "--json").json
    dev, watched = (
        pulsequeue("cost", "--env", "dev", "--json", *more).json for more in ((), ("--monitoring",))
    )

    assert pipeline["environment"] is None
    assert (dev["environment"], dev["budget"] < watched["budget"]) == ("dev", True)
    assert pipeline["total"] < dev["total"] < watched["total"]
    assert dev["total"] == pytest.approx(sum(line["dollars"] for line in dev["lines"]))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ("--env", "staging"),
            "infra/envs has no environment 'staging' with a bill of its own; there are dev, prod.",
        ),
        (("--env", "prod", "--orders", "-1"), "there cannot be -1 orders."),
        (("--monitoring",), "--monitoring is part of an environment's bill: name one by --env."),
    ],
)
def test_an_environment_that_cannot_be_billed_is_told_in_one_sentence(
    pulsequeue: CommandLine, arguments: tuple[str, ...], sentence: str
) -> None:
    ran = pulsequeue("cost", *arguments)

    assert (ran.code, ran.out, ran.err) == (2, "", f"pulsequeue: {sentence}\n")
