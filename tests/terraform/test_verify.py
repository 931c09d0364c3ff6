"""What Terraform made passes the verification, by somebody who may do what that takes and nothing else."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import boto3
import pytest

from scripts.environment.cognito import token
from scripts.environment.environment import Clients
from scripts.environment.local_state import HOME_VARIABLE, StackState
from scripts.environment.topology import CHECKOUT
from scripts.local.aws import emulator as ministack
from scripts.local.aws.triggers import route_url
from scripts.ops.metrics_page import Address
from scripts.verify.checks import CheckOutcome
from scripts.verify.endpoints import Endpoints
from scripts.verify.suite import Timing, verify
from tests.terraform.conftest import PASSWORD, Applied
from tests.terraform.metric_shipping import numbers_carried

BRIDGED = (
    # Rights called like the operations; AWS takes those of single messages for batches, too.
    "sqs:ChangeMessageVisibilityBatch",
    "sqs:DeleteMessageBatch",
    "sqs:SendMessageBatch",
    # Taken for a rule of this name.
    "events:DescribeEventBus",
    # Their rule has another name in the request than the emulator looks for.
    "events:PutTargets",
    "events:RemoveTargets",
)
"""What the emulator asks otherwise than AWS; allowed for everything."""

CALLED_ON_AWS = {
    "apigateway:GetApis": "apigateway:GET",
    "apigateway:GetIntegrations": "apigateway:GET",
    "apigateway:GetRoutes": "apigateway:GET",
    "lambda:Invoke": "lambda:InvokeFunction",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:SendMessageBatch": "sqs:SendMessage",
}
"""Rights that are not called like the operations they are for."""

FOR_ANYONE = {"cognito-idp:InitiateAuth"}
"""Signing in takes a password, and no rights."""


@dataclass(frozen=True)
class Verifier:
    """A user of IAM with the policy for verifying."""

    access_key_id: str
    secret_access_key: str
    clients: "Watched"
    home: Path


class Watched(Clients):
    """Clients that note what is called."""

    def __init__(self, session: boto3.Session, *, endpoint: str | None = None) -> None:
        super().__init__(session, endpoint=endpoint)
        self.called: set[str] = set()

    def _client(self, service: Any) -> Any:  # noqa: ANN401 - of whichever type
        client = super()._client(service)
        client.meta.events.register("before-call", self._note, unique_id="note")
        return client

    def _note(self, model: Any, **_: object) -> None:  # noqa: ANN401 - botocore's
        operation = f"{model.service_model.signing_name}:{model.name}"
        self.called.add(CALLED_ON_AWS.get(operation, operation))


@pytest.fixture(scope="module")
def verifier(applied: Applied, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Verifier]:
    iam, name = applied.environment.client("iam"), "verifier"
    iam.create_user(UserName=name)
    iam.attach_user_policy(UserName=name, PolicyArn=applied.outputs["verify_policy_arn"])
    bridged = [{"Effect": "Allow", "Action": [*BRIDGED], "Resource": ["*"]}]
    document = json.dumps({"Version": "2012-10-17", "Statement": bridged})
    iam.put_user_policy(UserName=name, PolicyName="bridged", PolicyDocument=document)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    home, endpoint = tmp_path_factory.mktemp("verifier"), applied.terraform.environ["AWS_ENDPOINT_URL"]
    session = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name=ministack.REGION)
    with numbers_carried(applied.environment, endpoint, home):
        yield Verifier(key["AccessKeyId"], key["SecretAccessKey"], Watched(session, endpoint=endpoint), home)
    # What Terraform made, it can only remove when nobody has it any more.
    iam.detach_user_policy(UserName=name, PolicyArn=applied.outputs["verify_policy_arn"])


def test_the_command_passes_every_check(applied: Applied, verifier: Verifier) -> None:
    url = route_url(applied.terraform.environ["AWS_ENDPOINT_URL"], applied.outputs["api_id"], "")
    StackState(
        env="local",
        aws_endpoint=applied.terraform.environ["AWS_ENDPOINT_URL"],
        region=ministack.REGION,
        access_key_id=verifier.access_key_id,
        secret_access_key=verifier.secret_access_key,
        processes=(),
        scratch="",
        logs={},
        started_at="",
        api_url=url,
        metrics_url=f"{url}/metrics",
        metrics_token=applied.secret("metrics-token"),
    ).write(verifier.home)
    applied.token("asker")

    done = subprocess.run(  # noqa: S603 - our own program
        [Path(sys.executable).parent / "pulsequeue", "verify", "--env", "local", "--json"],
        cwd=CHECKOUT,
        env=os.environ
        | {HOME_VARIABLE: str(verifier.home), "PULSEQUEUE_USER": "asker", "PULSEQUEUE_PASSWORD": PASSWORD},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    checks = json.loads(done.stdout)["checks"]
    assert {it["check"]: it["outcome"] for it in checks if it["outcome"] != "pass"} == {}


def test_the_policy_for_verifying_allows_what_verifying_calls_and_nothing_else(
    applied: Applied, verifier: Verifier
) -> None:
    environment = replace(applied.environment, clients=verifier.clients, _queue_urls={})
    url = route_url(applied.terraform.environ["AWS_ENDPOINT_URL"], applied.outputs["api_id"], "")

    def metrics() -> Address:
        name = environment.names.secret("metrics-token")
        found = environment.client("ssm").get_parameter(Name=name, WithDecryption=True)
        return Address(f"{url}/metrics", found["Parameter"]["Value"])

    applied.token("reader")
    # It has to look at this one, and put it back.
    queue = applied.outputs["dead_letter_queue_urls"]["order"]
    applied.environment.client("sqs").send_message(QueueUrl=queue, MessageBody="somebody else's")
    endpoints = Endpoints(metrics, lambda: url, lambda: token(environment, "reader", PASSWORD))
    report = verify(environment, endpoints, Timing.of(environment))

    (policy,) = [
        it for it in applied.resources("aws_iam_policy") if it["arn"] == applied.outputs["verify_policy_arn"]
    ]
    allowed = {action for it in json.loads(policy["policy"])["Statement"] for action in it["Action"]}
    assert [it for it in report.results if it.outcome is not CheckOutcome.PASS] == []
    assert verifier.clients.called - FOR_ANYONE == allowed
