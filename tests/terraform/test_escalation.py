"""No deploy role becomes administrator or reaches another environment: each step of an escalation is refused.

The policies are those that Terraform renders. They are evaluated here, because the emulator does not know the
keys iam:PermissionsBoundary, iam:PassedToService and aws:ResourceTag.
"""

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from scripts.deploy.terraform import Terraform
from tests.terraform.conftest import Applied, managed_resources
from tests.terraform.policy_simulator import POWER_USER, Request, Statement, is_allowed, listed, refused_by
from tests.terraform.proofs import PROOFS

ACCOUNT = "123456789012"
STATE = f"arn:aws:s3:::pulsequeue-terraform-state-{ACCOUNT}-us-east-1"
STATE_KEY = "arn:aws:kms:us-east-1:123456789012:key/1"
ADMINISTRATOR_ACCESS = "arn:aws:iam::aws:policy/AdministratorAccess"
PROD = {"aws:ResourceTag/environment": "prod"}


def role(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def policy(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:policy/{name}"


def arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:us-east-1:{ACCOUNT}:{resource}"


OWN = role("preview-7-pulsequeue-order")
BOUNDED = {"iam:PermissionsBoundary": policy("pulsequeue-boundary")}

ESCALATION = {
    "create a role without the boundary": Request("iam:CreateRole", OWN),
    "create a role with another boundary": Request(
        "iam:CreateRole", OWN, {"iam:PermissionsBoundary": ADMINISTRATOR_ACCESS}
    ),
    "give a role without the boundary every right": Request("iam:PutRolePolicy", OWN),
    "attach AdministratorAccess to a role without the boundary": Request("iam:AttachRolePolicy", OWN),
    "take the boundary off a role": Request("iam:DeleteRolePermissionsBoundary", OWN, BOUNDED),
    "replace the boundary of a role": Request(
        "iam:PutRolePermissionsBoundary", OWN, {"iam:PermissionsBoundary": ADMINISTRATOR_ACCESS}
    ),
    "rewrite the boundary": Request("iam:CreatePolicyVersion", policy("pulsequeue-boundary-preview")),
    "delete the boundary": Request("iam:DeletePolicy", policy("pulsequeue-boundary-preview")),
    "rewrite its own role": Request("iam:PutRolePolicy", role("pulsequeue-deploy-preview"), BOUNDED),
    "rewrite prod's deploy role": Request("iam:PutRolePolicy", role("pulsequeue-deploy-prod"), BOUNDED),
    "let itself assume prod's deploy role": Request(
        "iam:UpdateAssumeRolePolicy", role("pulsequeue-deploy-prod")
    ),
    "take the boundary off its own role": Request(
        "iam:DeleteRolePermissionsBoundary", role("pulsequeue-deploy-preview")
    ),
    "pass a role to a virtual machine": Request(
        "iam:PassRole", OWN, {"iam:PassedToService": "ec2.amazonaws.com"}
    ),
    "pass a role of prod": Request(
        "iam:PassRole", role("prod-pulsequeue-order"), {"iam:PassedToService": "lambda.amazonaws.com"}
    ),
    "create a user": Request("iam:CreateUser", f"arn:aws:iam::{ACCOUNT}:user/mallory"),
    "create an access key": Request("iam:CreateAccessKey", f"arn:aws:iam::{ACCOUNT}:user/admin"),
    "change whom GitHub's tokens are trusted for": Request(
        "iam:UpdateOpenIDConnectProviderThumbprint",
        f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com",
    ),
    "scan prod's orders": Request("dynamodb:Scan", arn("dynamodb", "table/prod-pulsequeue-orders")),
    "replace prod's code": Request(
        "lambda:UpdateFunctionCode", arn("lambda", "function:prod-pulsequeue-order")
    ),
    "create a user in prod's pool": Request(
        "cognito-idp:AdminCreateUser", arn("cognito-idp", "userpool/us-east-1_prod"), PROD
    ),
    "make prod's pool its own by a tag": Request(
        "cognito-idp:TagResource", arn("cognito-idp", "userpool/us-east-1_prod"), PROD
    ),
    "schedule the deletion of prod's key": Request("kms:ScheduleKeyDeletion", arn("kms", "key/prod"), PROD),
    "rewrite the policy of prod's key": Request("kms:PutKeyPolicy", arn("kms", "key/prod"), PROD),
    "schedule the deletion of the state's key": Request("kms:ScheduleKeyDeletion", STATE_KEY),
    "delete prod's logs": Request(
        "logs:DeleteLogGroup", arn("logs", "log-group:/aws/lambda/prod-pulsequeue-order:*"), PROD
    ),
    "admit everybody to prod's database": Request(
        "ec2:AuthorizeSecurityGroupIngress", arn("ec2", "security-group/sg-1"), PROD
    ),
    "delete prod's final snapshot": Request(
        "rds:DeleteDBClusterSnapshot", arn("rds", "cluster-snapshot:prod-pulsequeue-database-final")
    ),
    "share a snapshot with another account": Request(
        "rds:ModifyDBClusterSnapshotAttribute", arn("rds", "cluster-snapshot:any")
    ),
    "delete a backup of a table": Request(
        "dynamodb:DeleteBackup", arn("dynamodb", "table/prod-pulsequeue-orders/backup/1")
    ),
    "delete a recovery point": Request("backup:DeleteRecoveryPoint", arn("backup", "recovery-point:1")),
    "expire the state": Request("s3:PutLifecycleConfiguration", STATE),
    "delete earlier versions of the state": Request(
        "s3:DeleteObjectVersion", f"{STATE}/preview-7/terraform.tfstate"
    ),
    "open the state bucket": Request("s3:PutBucketPolicy", STATE),
    "read prod's state": Request("s3:GetObject", f"{STATE}/prod/terraform.tfstate"),
    "rewrite the state of the deploy roles": Request("s3:PutObject", f"{STATE}/bootstrap/terraform.tfstate"),
    "read the password of prod's database": Request(
        "secretsmanager:GetSecretValue", arn("secretsmanager", "secret:rds!cluster-1")
    ),
}
"""What an attacker with the role of previews tries."""

DEPLOYMENT = {
    "create a role with the boundary": Request("iam:CreateRole", OWN, BOUNDED),
    "give it a policy": Request("iam:PutRolePolicy", OWN, BOUNDED),
    "pass it to a function": Request("iam:PassRole", OWN, {"iam:PassedToService": "lambda.amazonaws.com"}),
    "delete it": Request("iam:DeleteRole", OWN),
    "create the policy of verify": Request("iam:CreatePolicy", policy("preview-7-pulsequeue-verify")),
    "create a user pool": Request("cognito-idp:CreateUserPool"),
    "change its own pool": Request(
        "cognito-idp:UpdateUserPool",
        arn("cognito-idp", "userpool/us-east-1_own"),
        {"aws:ResourceTag/environment": "preview-7"},
    ),
    "create a key": Request("kms:CreateKey"),
    "delete its own logs": Request(
        "logs:DeleteLogGroup",
        arn("logs", "log-group:/aws/lambda/preview-7-pulsequeue-order:*"),
        {"aws:ResourceTag/environment": "preview-7"},
    ),
    "write its state": Request("s3:PutObject", f"{STATE}/preview-7/terraform.tfstate"),
    "unlock its state": Request("s3:DeleteObject", f"{STATE}/preview-7/terraform.tfstate.tflock"),
    "encrypt its state": Request("kms:GenerateDataKey", STATE_KEY),
    "delete its own cluster": Request(
        "rds:DeleteDBCluster", arn("rds", "cluster:preview-7-pulsequeue-database")
    ),
}
"""What a deployment of a preview does."""

OF_A_ROLE = {
    "administer the account": Request("iam:CreateUser", f"arn:aws:iam::{ACCOUNT}:user/mallory"),
    "become another role": Request("sts:AssumeRole", role("pulsequeue-deploy-prod")),
    "scan prod's orders": Request("dynamodb:Scan", arn("dynamodb", "table/prod-pulsequeue-orders")),
    "read the state": Request("s3:GetObject", f"{STATE}/prod/terraform.tfstate"),
    "create a user in prod's pool": Request(
        "cognito-idp:AdminCreateUser", arn("cognito-idp", "userpool/us-east-1_prod"), PROD
    ),
    "decrypt with prod's key": Request("kms:Decrypt", arn("kms", "key/prod"), PROD),
    "delete a key": Request("kms:ScheduleKeyDeletion", arn("kms", "key/own")),
}
"""What a role with AdministratorAccess still cannot do behind the boundary."""

Policies = Mapping[tuple[str, str], Sequence[Statement]]
"""Statements by resource type and environment."""

ADMINISTRATOR: Sequence[Statement] = ({"Effect": "Allow", "Action": "*", "Resource": "*"},)


@pytest.fixture(scope="module")
def rendered(terraform: Terraform, tmp_path_factory: pytest.TempPathFactory) -> Policies:
    """The policies of bootstrap by resource type and environment, as Terraform renders them."""
    infra = tmp_path_factory.mktemp("bootstrap") / "infra"
    source = Path(__file__).parents[2] / "infra"
    shutil.copytree(source, infra, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*"))
    terraform.run(infra / "bootstrap", "init", "-backend=false")
    output = terraform.run(infra / "bootstrap", "test", "-json", "-verbose")
    states = [it["test_state"] for line in output.splitlines() if "test_state" in (it := json.loads(line))]
    resources = managed_resources(states[0]["root_module"])
    return {
        (it["type"], it["index"]): json.loads(it["values"]["policy"])["Statement"]
        for it in resources
        if it["type"] in {"aws_iam_role_policy", "aws_iam_policy"} and "index" in it
    }


@pytest.fixture(scope="module")
def preview(rendered: Policies) -> Sequence[Statement]:
    return [*POWER_USER, *rendered["aws_iam_role_policy", "preview"]]


@pytest.mark.parametrize("step", ESCALATION)
def test_a_step_of_the_escalation_is_refused(preview: Sequence[Statement], step: str) -> None:
    assert not is_allowed(ESCALATION[step], preview)


def test_the_documented_steps_are_those_that_are_refused(preview: Sequence[Statement]) -> None:
    rows = [f"| {step} | {refused_by(request, preview)} |" for step, request in ESCALATION.items()]

    assert "\n".join(rows) in PROOFS.read_text(encoding="utf-8")


@pytest.mark.parametrize("step", DEPLOYMENT)
def test_a_step_of_a_deployment_is_allowed(preview: Sequence[Statement], step: str) -> None:
    assert is_allowed(DEPLOYMENT[step], preview)


@pytest.mark.parametrize("step", OF_A_ROLE)
def test_a_role_with_every_right_stays_within_its_boundary(rendered: Policies, step: str) -> None:
    boundary = rendered["aws_iam_policy", "preview"]

    assert is_allowed(OF_A_ROLE[step], ADMINISTRATOR)
    assert not is_allowed(OF_A_ROLE[step], ADMINISTRATOR, boundary)


def test_a_role_may_use_the_resources_of_its_environment(
    rendered: Policies,
) -> None:
    boundary = rendered["aws_iam_policy", "preview"]
    own = Request("dynamodb:PutItem", arn("dynamodb", "table/preview-7-pulsequeue-orders"))

    assert is_allowed(own, ADMINISTRATOR, boundary)


def test_the_boundary_allows_what_the_roles_of_an_environment_do(
    rendered: Policies, applied: Applied
) -> None:
    boundary = rendered["aws_iam_policy", "preview"]
    policies = [json.loads(_as_preview(it["policy"])) for it in applied.resources("aws_iam_role_policy")]

    refused = [
        (action, resource)
        for policy in policies
        for statement in policy["Statement"]
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
        if not is_allowed(Request(action, resource), [statement], boundary)
    ]

    assert policies
    assert refused == []


def _as_preview(policy: str) -> str:
    """Name the resources of the applied environment as those of a preview, in the account of the policies."""
    renamed = policy.replace("local-pulsequeue", "preview-7-pulsequeue")
    return re.sub(r":\d{12}:", f":{ACCOUNT}:", renamed)
