"""The applied environment passes the verification with the permissions of the verify policy only."""

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

from scripts.common.project_files import CHECKOUT
from scripts.environment.cognito import token
from scripts.environment.environment import Clients
from scripts.environment.local_state import HOME_VARIABLE, StackState
from scripts.local.aws import emulator as ministack
from scripts.local.aws.triggers import route_url
from scripts.ops.metrics_page import Address
from scripts.verify.checks import CheckOutcome
from scripts.verify.endpoints import Endpoints
from scripts.verify.suite import Timing, verify
from tests.terraform.conftest import PASSWORD, Applied
from tests.terraform.metric_shipping import metrics_shipped

EMULATOR_ACTIONS = (
    # Permissions named like the operations; on AWS those for single messages cover batches.
    "sqs:ChangeMessageVisibilityBatch",
    "sqs:DeleteMessageBatch",
    "sqs:SendMessageBatch",
    # The emulator expects a rule of this name.
    "events:DescribeEventBus",
    # The request names the rule differently from what the emulator expects.
    "events:PutTargets",
    "events:RemoveTargets",
)
"""Actions that the emulator checks differently from AWS; allowed for every resource."""

ACTION_NAMES = {
    "apigateway:GetApis": "apigateway:GET",
    "apigateway:GetIntegrations": "apigateway:GET",
    "apigateway:GetRoutes": "apigateway:GET",
    "lambda:Invoke": "lambda:InvokeFunction",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:SendMessageBatch": "sqs:SendMessage",
}
"""Operations whose IAM action has another name."""

UNAUTHENTICATED = {"cognito-idp:InitiateAuth"}
"""Signing in takes a password, but no IAM permission."""


@dataclass(frozen=True)
class Verifier:
    """An IAM user with the verify policy."""

    access_key_id: str
    secret_access_key: str
    clients: "RecordingClients"
    home: Path


class RecordingClients(Clients):
    """Clients that record the IAM actions of their calls."""

    def __init__(self, session: boto3.Session, *, endpoint: str | None = None) -> None:
        super().__init__(session, endpoint=endpoint)
        self.recorded: set[str] = set()

    def _client(self, service: Any) -> Any:  # noqa: ANN401 - of whichever type
        client = super()._client(service)
        client.meta.events.register("before-call", self._record, unique_id="note")
        return client

    def _record(self, model: Any, **_: object) -> None:  # noqa: ANN401 - botocore's
        operation = f"{model.service_model.signing_name}:{model.name}"
        self.recorded.add(ACTION_NAMES.get(operation, operation))


@pytest.fixture(scope="module")
def verifier(applied: Applied, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Verifier]:
    iam, name = applied.environment.client("iam"), "verifier"
    iam.create_user(UserName=name)
    iam.attach_user_policy(UserName=name, PolicyArn=applied.outputs["verify_policy_arn"])
    statements = [{"Effect": "Allow", "Action": [*EMULATOR_ACTIONS], "Resource": ["*"]}]
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_user_policy(UserName=name, PolicyName="bridged", PolicyDocument=document)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    home, endpoint = tmp_path_factory.mktemp("verifier"), applied.terraform.environ["AWS_ENDPOINT_URL"]
    session = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name=ministack.REGION)
    with metrics_shipped(applied.environment, endpoint, home):
        yield Verifier(
            key["AccessKeyId"], key["SecretAccessKey"], RecordingClients(session, endpoint=endpoint), home
        )
    # Terraform can delete the policy only after it is detached.
    iam.detach_user_policy(UserName=name, PolicyArn=applied.outputs["verify_policy_arn"])


def test_the_verify_command_passes_every_check(applied: Applied, verifier: Verifier) -> None:
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

    completed = subprocess.run(  # noqa: S603 - our own program
        [Path(sys.executable).parent / "pulsequeue", "verify", "--env", "local", "--json"],
        cwd=CHECKOUT,
        env=os.environ
        | {HOME_VARIABLE: str(verifier.home), "PULSEQUEUE_USER": "asker", "PULSEQUEUE_PASSWORD": PASSWORD},
        capture_output=True,
        text=True,
        check=False,
    )

    assert completed.returncode == 0, completed.stderr
    checks = json.loads(completed.stdout)["checks"]
    assert {it["check"]: it["outcome"] for it in checks if it["outcome"] != "pass"} == {}


def test_the_verify_policy_allows_exactly_the_calls_of_the_verification(
    applied: Applied, verifier: Verifier
) -> None:
    environment = replace(applied.environment, clients=verifier.clients, _queue_urls={})
    url = route_url(applied.terraform.environ["AWS_ENDPOINT_URL"], applied.outputs["api_id"], "")

    def metrics() -> Address:
        name = environment.names.secret("metrics-token")
        found = environment.client("ssm").get_parameter(Name=name, WithDecryption=True)
        return Address(f"{url}/metrics", found["Parameter"]["Value"])

    applied.token("reader")
    # The verification has to receive this message and return it to the queue.
    queue = applied.outputs["dead_letter_queue_urls"]["order"]
    applied.environment.client("sqs").send_message(QueueUrl=queue, MessageBody="another message")
    endpoints = Endpoints(metrics, lambda: url, lambda: token(environment, "reader", PASSWORD))
    report = verify(environment, endpoints, Timing.of(environment))

    (policy,) = [
        it for it in applied.resources("aws_iam_policy") if it["arn"] == applied.outputs["verify_policy_arn"]
    ]
    allowed = {action for it in json.loads(policy["policy"])["Statement"] for action in it["Action"]}
    assert [it for it in report.results if it.outcome is not CheckOutcome.PASS] == []
    assert verifier.clients.recorded - UNAUTHENTICATED == allowed
