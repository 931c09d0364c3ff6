"""`pulsequeue events tail`: mistakes are explained before anything is made."""

import pytest

from tests.unit.conftest import CommandLine


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--for", "30s"], "--for must be from 1m to 12h."),
        (["--for", "13h"], "--for must be from 1m to 12h."),
        (["--for", "soon"], "'soon' is not a duration"),
        (["--type", "order.shipped"], "there is no event order.shipped"),
        (["--cloudevents"], "--cloudevents needs --forward."),
        (["--forward", "localhost:3000"], "--forward must be a URL that begins with http:// or https://."),
        (["--forward", "http://localhost:3000", "--secret", "abc"], "--secret must be whsec_ and base64."),
        (
            ["--forward", "http://localhost:3000", "--type", "PaymentRequested"],
            "webhooks do not carry PaymentRequested; omit --forward.",
        ),
    ],
)
def test_a_mistake_is_explained(pulsequeue: CommandLine, arguments: list[str], says: str) -> None:
    result = pulsequeue("events", "tail", *arguments)

    assert result.code == 2
    assert says in " ".join(result.err.split())
