"""`pulsequeue cost` shows what a month costs and which limit is reached first, or one error message."""

import pytest

from tests.unit.conftest import CommandLine


def test_the_bill_shows_each_service_and_the_whole(pulsequeue: CommandLine) -> None:
    ran = pulsequeue("cost")

    assert ran.code == 0
    assert "1,000,000 orders a month" in ran.out
    for service in ("Lambda", "DynamoDB", "EventBridge", "SQS", "CloudWatch", "API Gateway", "total"):
        assert service in ran.out


def test_every_line_of_the_data_is_quantity_times_price_and_they_add_up(pulsequeue: CommandLine) -> None:
    bill = pulsequeue("cost", "--rate", "50", "--items", "3", "--decline-share", "0.1", "--json").json

    assert bill["orders"] == 50 * 730 * 3600
    for line in bill["lines"]:
        assert line["dollars"] == pytest.approx(line["quantity"] * line["price"])
    assert bill["total"] == pytest.approx(sum(line["dollars"] for line in bill["lines"]))


def test_explained_a_bill_shows_what_is_paid_for(pulsequeue: CommandLine) -> None:
    ran = pulsequeue("cost", "--explain")

    assert "orders: writes" in ran.out
    assert "$0.0000133334 per GB-second" in ran.out


def test_orders_over_http_cost_more(pulsequeue: CommandLine) -> None:
    published, over_http = (pulsequeue("cost", *it, "--json").json for it in ((), ("--http",)))

    assert over_http["perMillionOrders"] > published["perMillionOrders"] + 1.2
    assert "orders over HTTP" in {line["item"] for line in over_http["lines"]}


def test_without_orders_the_bill_has_fixed_costs_only(pulsequeue: CommandLine) -> None:
    bill = pulsequeue("cost", "--orders", "0", "--json").json

    assert bill["total"] == bill["withoutOrders"] > 0


def test_the_limits_begin_with_the_first_one_met(pulsequeue: CommandLine) -> None:
    ran = pulsequeue("cost", "--limits", "--rate", "100000")

    assert ran.code == 0
    assert ran.out.startswith("First limit: ")
    assert "exceeded at 100,000/s" in ran.out


def test_without_orders_no_limit_is_used(pulsequeue: CommandLine) -> None:
    ran = pulsequeue("cost", "--limits", "--rate", "0")

    assert ran.code == 0
    assert "not reached at 0/s" in ran.out
    assert "unlimited" in ran.out


def test_limits_as_data_are_sorted_by_rate(pulsequeue: CommandLine) -> None:
    found = pulsequeue("cost", "--limits", "--json").json

    rates = [limit["maxOrdersPerSecond"] for limit in found if limit["maxOrdersPerSecond"] is not None]
    assert rates == sorted(rates)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--orders", "-1"), "--orders must be a number from 0, not -1."),
        (("--rate", "-2"), "--rate must be a number from 0, not -2."),
        (("--orders", "1", "--rate", "1"), "use either --orders or --rate, not both."),
        (("--items", "91"), "--items must be 1 to 90, not 91."),
        (("--batch", "0"), "--batch must be 1 to 99, not 0."),
        (("--decline-share", "2"), "a share must be from 0 to 1, not 2."),
        (("--reject-share", "-1"), "a share must be from 0 to 1, not -1."),
        (
            ("--decline-share", "0.6", "--reject-share", "0.6"),
            "--decline-share and --reject-share must not exceed 1 together.",
        ),
        (("--hot", "--items", "2"), "--hot needs --items 1."),
        (("--gateway-ms", "-1"), "--round-trip-ms, --gateway-ms and --scrapers must be 0 or more."),
        (("--orders", "nan"), "--orders must be a number from 0, not nan."),
        (("--rate", "inf"), "--rate must be a number from 0, not inf."),
        (("--limits", "--orders", "-5"), "--orders must be a number from 0, not -5."),
    ],
)
def test_invalid_options_are_answered_with_one_error(
    pulsequeue: CommandLine, arguments: tuple[str, ...], message: str
) -> None:
    ran = pulsequeue("cost", *arguments)

    assert (ran.code, ran.out, ran.err) == (2, "", f"pulsequeue: {message}\n")


def test_an_environment_has_a_bill_of_its_own(pulsequeue: CommandLine) -> None:
    ran = pulsequeue("cost", "--env", "prod", "--orders", "0")

    assert ran.code == 0
    assert ran.out.startswith("prod, 0 orders a month")
    for service in ("Aurora", "RDS Proxy", "Network", "KMS", "Secrets Manager", "X-Ray", "Cognito"):
        assert service in ran.out


def test_an_environment_s_bill_is_the_pipeline_s_and_more(pulsequeue: CommandLine) -> None:
    pipeline = pulsequeue("cost", "--json").json
    dev, monitored = (
        pulsequeue("cost", "--env", "dev", "--json", *more).json for more in ((), ("--monitoring",))
    )

    assert pipeline["environment"] is None
    assert (dev["environment"], dev["budget"] < monitored["budget"]) == ("dev", True)
    assert pipeline["total"] < dev["total"] < monitored["total"]
    assert dev["total"] == pytest.approx(sum(line["dollars"] for line in dev["lines"]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("--env", "staging"),
            "no bill for environment 'staging'; choose one of dev, prod.",
        ),
        (("--env", "prod", "--orders", "-1"), "--orders must be a number from 0, not -1."),
        (("--monitoring",), "--monitoring needs an environment; add --env dev or --env prod."),
    ],
)
def test_an_environment_without_a_bill_is_answered_with_one_error(
    pulsequeue: CommandLine, arguments: tuple[str, ...], message: str
) -> None:
    ran = pulsequeue("cost", *arguments)

    assert (ran.code, ran.out, ran.err) == (2, "", f"pulsequeue: {message}\n")
