"""All of dev is deployed and destroyed by `pulsequeue`, in a job whose only credential is GitHub's token.

The account is an emulator that enforces IAM. For its gaps, tests/terraform/emulated/ is copied over infra/.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from subprocess import CompletedProcess
from typing import Any

import pytest
from botocore.exceptions import ClientError

from scripts.common.errors import ToolError
from scripts.deploy.terraform import MIRROR_VARIABLE, Terraform
from scripts.environment.cognito import pool_id
from scripts.local.aws.user_pool import TENANT, User, add_user
from scripts.verify.checks import CheckOutcome
from tests.terraform import deployed_resources
from tests.terraform.account import (
    EMULATOR_OVERRIDES,
    PASSWORD,
    SUBJECT,
    SUBJECT_WITH_IDS,
    USER,
    Account,
    open_account,
    run_pulsequeue,
)
from tests.terraform.conftest import managed_resources
from tests.terraform.metric_shipping import metrics_shipped

pytestmark = pytest.mark.xdist_group("deployment")

EMULATOR_DIFFERENCES = (
    # Returns the policy's attributes in another shape.
    r"\.site\.aws_cloudfront_response_headers_policy\.this$",
    # Does not return dimensions, actions and description.
    r"\.aws_cloudwatch_(metric|composite)_alarm\.",
    # Does not return role, interval and tags.
    r"\.network\[.*\]\.aws_flow_log\.this$",
    # Does not return the policy and the private DNS setting.
    r"\.network\[.*\]\.aws_vpc_endpoint\.interface\[",
    # Does not return the zone rebalancing.
    r"\.aws_ecs_service\.this$",
    # Does not return the timeout, which replaces the stack; the other two refer to the password in it.
    r"\.aws_cloudformation_stack\.password$",
    r"\.aws_ecs_task_definition\.this$",
    r"\.aws_iam_role_policy\.execution$",
)
"""Resources that the emulator returns differently from what was applied."""

VERIFY_ROW = re.compile(rf"^(\S.*?) {{2,}}.* ({'|'.join(CheckOutcome)}) +[0-9.]+ ", re.MULTILINE)
"""A row of the table that verify prints."""

SURROUNDING_RESOURCES: Sequence[tuple[str, str, Mapping[str, Any], str]] = (
    ("cloudformation", "describe_stacks", {}, "Stacks"),
    ("cloudwatch", "describe_alarms", {}, "MetricAlarms"),
    ("cloudwatch", "describe_alarms", {"AlarmTypes": ["CompositeAlarm"]}, "CompositeAlarms"),
    # A deleted gateway is listed for an hour.
    (
        "ec2",
        "describe_nat_gateways",
        {"Filters": [{"Name": "state", "Values": ["available"]}]},
        "NatGateways",
    ),
    ("ec2", "describe_vpc_endpoints", {}, "VpcEndpoints"),
    ("ecs", "list_clusters", {}, "clusterArns"),
    ("elbv2", "describe_load_balancers", {}, "LoadBalancers"),
    ("rds", "describe_db_clusters", {}, "DBClusters"),
    ("rds", "describe_db_instances", {}, "DBInstances"),
    ("secretsmanager", "list_secrets", {}, "SecretList"),
    ("sns", "list_topics", {}, "Topics"),
)
"""Resources around the functions: service, operation, parameters and the response's key."""

NO_PRINCIPAL = json.dumps({"Version": "2012-10-17", "Statement": []})
ADMINISTRATOR_ACCESS = "arn:aws:iam::aws:policy/AdministratorAccess"
DENY_ALL = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}
)

Completed = CompletedProcess[str]


@dataclass(frozen=True)
class Bootstrapped:
    """An account after bootstrap."""

    account: Account
    terraform: Terraform
    outputs: Mapping[str, Any]
    job: Mapping[str, str]

    def pulsequeue(self, *arguments: str) -> Completed:
        return run_pulsequeue([*arguments], self.job)

    @property
    def iam_names(self) -> list[str]:
        """The existing roles and policies with dev's prefix."""
        dev = self.account.dev
        iam = dev.client("iam")
        roles = [it["RoleName"] for it in iam.list_roles(MaxItems=1_000)["Roles"]]
        policies = [it["PolicyName"] for it in iam.list_policies(Scope="Local", MaxItems=1_000)["Policies"]]
        return [it for it in (*roles, *policies) if it.startswith(dev.names.prefix)]

    def surrounding_resources(self) -> Mapping[str, list[Any]]:
        """The existing resources around the functions, by response key."""
        client = self.account.client
        found = {
            it: getattr(client(service), operation)(**parameters)[it]
            for service, operation, parameters, it in SURROUNDING_RESOURCES
        }
        return {it: items for it, items in found.items() if items}


@pytest.fixture(scope="session")
def account(terraform: Terraform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    assert terraform.mirror is not None
    with open_account(tmp_path_factory.mktemp("account")) as account:
        yield account


@pytest.fixture(scope="session")
def bootstrapped(account: Account, terraform: Terraform) -> Bootstrapped:
    administrator = replace(terraform, environ=account.administrator_environ)
    administrator.run(account.infra / "bootstrap", "init")
    administrator.run(account.infra / "bootstrap", "apply", "-auto-approve")
    outputs = administrator.outputs(account.infra / "bootstrap")
    job = account.job_environ(
        outputs["deploy_role_arns"]["dev"], outputs["state_bucket"], account.request_certificate()
    )
    return Bootstrapped(account, administrator, outputs, {**job, MIRROR_VARIABLE: str(terraform.mirror)})


@pytest.fixture(scope="session")
def failed_deploy(bootstrapped: Bootstrapped) -> Completed:
    """Deploy while the name of a role is already taken."""
    iam, name = bootstrapped.account.dev.client("iam"), bootstrapped.account.dev.names.function("payment")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=NO_PRINCIPAL)
    completed = bootstrapped.pulsequeue("deploy", "--env", "dev", "--yes", "--from", "plan")
    iam.delete_role(RoleName=name)
    return completed


@pytest.fixture(scope="session")
def successful_deploy(bootstrapped: Bootstrapped, failed_deploy: Completed) -> Completed:
    """Continue with the printed command once the name is free, and with a user for verify."""
    environment, account = bootstrapped.account.dev, bootstrapped.account
    assert failed_deploy.returncode != 0
    add_user(environment, pool_id(environment) or "", User(USER, "viewer", TENANT), PASSWORD)
    with metrics_shipped(environment, account.endpoint, account.home):
        return bootstrapped.pulsequeue("deploy", "--env", "dev", "--yes", "--from", "plan")


@pytest.fixture(scope="session")
def state(bootstrapped: Bootstrapped, successful_deploy: Completed) -> Mapping[str, Any]:
    assert successful_deploy.returncode == 0
    dev = replace(bootstrapped.terraform, environ=bootstrapped.job)
    shown: dict[str, Any] = json.loads(dev.run(bootstrapped.account.infra / "envs" / "dev", "show", "-json"))
    return shown


@pytest.fixture(scope="session")
def destroyed(bootstrapped: Bootstrapped, successful_deploy: Completed) -> Completed:
    assert successful_deploy.returncode == 0
    return bootstrapped.pulsequeue("destroy", "--env", "dev", "--yes")


def is_access_denied(call: Callable[[], object]) -> bool:
    try:
        call()
    except ClientError as error:
        return error.response["Error"]["Code"] in {"AccessDenied", "AccessDeniedException"}
    return False


def test_the_override_files_are_formatted(terraform: Terraform) -> None:
    assert terraform.run(EMULATOR_OVERRIDES, "fmt", "-recursive", "-check", "-diff") == ""


def test_a_job_of_another_environment_cannot_assume_the_role(bootstrapped: Bootstrapped) -> None:
    role = bootstrapped.outputs["deploy_role_arns"]["dev"]

    assert is_access_denied(lambda: bootstrapped.account.assume_role(role, "prod"))


@pytest.mark.parametrize("repository", [SUBJECT, SUBJECT_WITH_IDS])
def test_a_job_assumes_the_role_with_and_without_ids_in_its_subject(
    bootstrapped: Bootstrapped, repository: str
) -> None:
    role = bootstrapped.outputs["deploy_role_arns"]["dev"]

    assert bootstrapped.account.assume_role(role, "dev", repository)


@pytest.mark.parametrize(
    "repository", ["repo:acme@9/pulsequeue@456789", "repo:acme@123456/pulsequeue@9", "repo:acme/another"]
)
def test_another_repository_cannot_assume_the_role(bootstrapped: Bootstrapped, repository: str) -> None:
    role = bootstrapped.outputs["deploy_role_arns"]["dev"]

    assert is_access_denied(lambda: bootstrapped.account.assume_role(role, "dev", repository))


@pytest.mark.parametrize("role", ["prod-pulsequeue-order", "pulsequeue-deploy-dev", "another-role"])
def test_the_deploy_role_of_dev_manages_roles_of_dev_only(bootstrapped: Bootstrapped, role: str) -> None:
    account = bootstrapped.account
    iam = account.client("iam", account.assume_role(bootstrapped.outputs["deploy_role_arns"]["dev"], "dev"))
    own = account.dev.names.function("new")

    iam.create_role(RoleName=own, AssumeRolePolicyDocument=DENY_ALL)
    iam.put_role_policy(RoleName=own, PolicyName="none", PolicyDocument=DENY_ALL)
    iam.delete_role_policy(RoleName=own, PolicyName="none")
    iam.delete_role(RoleName=own)

    assert is_access_denied(lambda: iam.create_role(RoleName=role, AssumeRolePolicyDocument=DENY_ALL))
    assert is_access_denied(
        lambda: iam.put_role_policy(RoleName=role, PolicyName="all", PolicyDocument=DENY_ALL)
    )
    assert is_access_denied(lambda: iam.attach_role_policy(RoleName=role, PolicyArn=ADMINISTRATOR_ACCESS))


def test_deploy_changes_nothing_without_confirmation(bootstrapped: Bootstrapped) -> None:
    completed = bootstrapped.pulsequeue("deploy", "--env", "dev", "--from", "plan")

    assert completed.returncode == 1
    assert "confirm failed: not confirmed. Nothing changed." in completed.stderr
    assert bootstrapped.iam_names == []


def test_the_state_lock_blocks_a_second_deployment(bootstrapped: Bootstrapped) -> None:
    s3, bucket = bootstrapped.account.client("s3"), bootstrapped.outputs["state_bucket"]
    lock = {"ID": "1", "Operation": "OperationTypeApply", "Who": "a colleague", "Path": bucket}
    s3.put_object(Bucket=bucket, Key="dev/terraform.tfstate.tflock", Body=json.dumps(lock).encode())

    completed = bootstrapped.pulsequeue("deploy", "--env", "dev", "--yes", "--from", "plan")
    s3.delete_object(Bucket=bucket, Key="dev/terraform.tfstate.tflock")

    assert completed.returncode == 1
    assert "a colleague" in completed.stderr
    assert bootstrapped.iam_names == []


def test_a_failed_deployment_prints_the_command_to_continue(failed_deploy: Completed) -> None:
    assert failed_deploy.returncode == 1
    assert "dev-pulsequeue-payment already exists" in failed_deploy.stderr
    assert failed_deploy.stderr.rstrip().endswith("To resume: pulsequeue deploy --env dev --from plan")


def test_continuing_applies_migrates_and_verifies(successful_deploy: Completed) -> None:
    assert successful_deploy.returncode == 0, successful_deploy.stderr[-4_000:]
    assert "Applied 0001_" in successful_deploy.stdout
    checks = dict(VERIFY_ROW.findall(successful_deploy.stdout))
    assert {"wiring", "tables", "counters", "analytics", "cleanup"} <= {*checks}
    assert {*checks.values()} == {"pass"}


def test_a_second_plan_shows_known_emulator_differences_only(
    bootstrapped: Bootstrapped, state: Mapping[str, Any]
) -> None:
    assert state
    dev = replace(bootstrapped.terraform, environ=bootstrapped.job)

    changes = dev.changes(bootstrapped.account.infra / "envs" / "dev")

    assert [it for it in changes if not any(re.search(pattern, it) for pattern in EMULATOR_DIFFERENCES)] == []
    assert [it for it in EMULATOR_DIFFERENCES if not any(re.search(it, change) for change in changes)] == []


def test_the_resources_around_the_functions_exist(
    bootstrapped: Bootstrapped, state: Mapping[str, Any]
) -> None:
    created = {it["type"] for it in managed_resources(state["values"]["root_module"])}

    assert {*bootstrapped.surrounding_resources()} == {it for *_, it in SURROUNDING_RESOURCES}
    assert created >= {
        "aws_budgets_budget",
        "aws_ecs_service",
        "aws_flow_log",
        "aws_lb_listener",
        "aws_s3_object",
    }


def test_only_functions_with_a_database_are_in_the_vpc(state: Mapping[str, Any]) -> None:
    everything = [*managed_resources(state["values"]["root_module"])]
    subnets = {
        it["values"]["id"] for it in everything if it["type"] == "aws_subnet" and it["name"] == "private"
    }

    vpc_subnets = {
        it["values"]["function_name"]: {*it["values"]["vpc_config"][0]["subnet_ids"]}
        for it in everything
        if it["type"] == "aws_lambda_function" and it["values"]["vpc_config"]
    }

    with_database = ("projector", "analytics", "datasets", "dataset-ingest", "migrator")
    assert vpc_subnets == {f"dev-pulsequeue-{it}": subnets for it in with_database}


def test_destroy_leaves_no_resources(bootstrapped: Bootstrapped, destroyed: Completed) -> None:
    environment = bootstrapped.account.dev
    # These inspectors need a user pool, a bus or an API.
    inspectors = {
        name: inspect
        for name, inspect in deployed_resources.INSPECTORS.items()
        if name not in ("rules", "routes", "cors", "users")
    }
    dev = replace(bootstrapped.terraform, environ=bootstrapped.job)

    assert destroyed.returncode == 0, destroyed.stderr[-4_000:]
    assert {name: found for name, inspect in inspectors.items() if (found := inspect(environment))} == {}
    assert bootstrapped.surrounding_resources() == {}
    assert bootstrapped.iam_names == []
    assert dev.run(bootstrapped.account.infra / "envs" / "dev", "state", "list") == ""


def test_the_state_bucket_cannot_be_deleted_until_it_is_empty(
    bootstrapped: Bootstrapped, destroyed: Completed
) -> None:
    account, terraform = bootstrapped.account, bootstrapped.terraform
    bootstrap, bucket = account.infra / "bootstrap", bootstrapped.outputs["state_bucket"]
    assert destroyed.returncode == 0

    with pytest.raises(ToolError, match="BucketNotEmpty"):
        terraform.run(bootstrap, "destroy", "-auto-approve")

    account.empty_bucket(bucket)
    terraform.run(bootstrap, "destroy", "-auto-approve")
    assert terraform.run(bootstrap, "state", "list") == ""
