"""A secret is read again every minute, and kept while it cannot be read."""

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from services.shared.adapters.rotated_secret import REREAD_SECONDS, rotated_secret

NAME = "/dev-pulsequeue/cursor-key"


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_a_rotated_secret_is_seen_after_a_minute_and_kept_through_an_outage() -> None:
    ssm, clock = (
        boto3.client("ssm", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"),
        Clock(),
    )
    expected = {"Name": NAME, "WithDecryption": True}
    with Stubber(ssm) as stub:
        stub.add_response("get_parameter", {"Parameter": {"Value": "old"}}, expected)
        stub.add_response("get_parameter", {"Parameter": {"Value": "new old"}}, expected)
        stub.add_client_error("get_parameter", "InternalServerError", expected_params=expected)
        read = rotated_secret(ssm, NAME, clock)

        assert read() == "old"
        clock.now += REREAD_SECONDS - 1
        assert read() == "old"
        clock.now += 1
        assert read() == "new old"
        clock.now += REREAD_SECONDS
        assert read() == "new old"
        stub.assert_no_pending_responses()


def test_without_a_first_answer_there_is_no_secret() -> None:
    ssm = boto3.client("ssm", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    with Stubber(ssm) as stub:
        stub.add_client_error("get_parameter", "InternalServerError")

        with pytest.raises(ClientError):
            rotated_secret(ssm, NAME, Clock())()
