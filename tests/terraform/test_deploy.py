"""dev, whole: deployed and removed by `pulsequeue`, in a job that GitHub's token is all it has.

The account is an emulator that checks rights. Where it has gaps, tests/terraform/emulated/ is laid over it.
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
from tests.terraform.account import EMULATED, PASSWORD, USER, Account, ended, opened
from tests.terraform.conftest import managed
from tests.terraform.metric_shipping import numbers_carried

pytestmark = pytest.mark.xdist_group("deployment")

FORGOTTEN = (
    # Leaves out dimensions, actions and description.
    r"\.aws_cloudwatch_(metric|composite)_alarm\.",
    # Leaves out role, interval and tags.
    r"\.network\[.*\]\.aws_flow_log\.this$",
    # Leaves out the policy, and that names are private.
    r"\.network\[.*\]\.aws_vpc_endpoint\.interface\[",
    # Leaves out how it balances zones.
    r"\.aws_ecs_service\.this$",
    # Leaves out the time limit, which makes it anew; the other two name the password that is in it.
    r"\.aws_cloudformation_stack\.password$",
    r"\.aws_ecs_task_definition\.this$",
    r"\.aws_iam_role_policy\.execution$",
)
"""What the emulator tells otherwise than it was told."""

VERIFIED = re.compile(rf"^(\S.*?) {{2,}}.* ({'|'.join(CheckOutcome)}) +[0-9.]+ ", re.MULTILINE)
"""A line of the table that verify prints."""

SURROUNDINGS: Sequence[tuple[str, str, Mapping[str, Any], str]] = (
    ("cloudformation", "describe_stacks", {}, "Stacks"),
    ("cloudwatch", "describe_alarms", {}, "MetricAlarms"),
    ("cloudwatch", "describe_alarms", {"AlarmTypes": ["CompositeAlarm"]}, "CompositeAlarms"),
    # A gateway that is deleted is told of for an hour.
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
"""What is around the functions: the service, what it is asked and how, and under what it answers."""

NOBODY = json.dumps({"Version": "2012-10-17", "Statement": []})
EVERYTHING = "arn:aws:iam::aws:policy/AdministratorAccess"
NOTHING = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}
)

Ended = CompletedProcess[str]


@dataclass(frozen=True)
class Bootstrapped:
    """An account in which somebody may deploy."""

    account: Account
    terraform: Terraform
    outputs: Mapping[str, Any]
    job: Mapping[str, str]

    def pulsequeue(self, *arguments: str) -> Ended:
        return ended([*arguments], self.job)

    @property
    def rights(self) -> list[str]:
        """The roles and policies that are there, of dev or called like them."""
        dev = self.account.dev
        iam = dev.client("iam")
        roles = [it["RoleName"] for it in iam.list_roles(MaxItems=1_000)["Roles"]]
        policies = [it["PolicyName"] for it in iam.list_policies(Scope="Local", MaxItems=1_000)["Policies"]]
        return [it for it in (*roles, *policies) if it.startswith(dev.names.prefix)]

    def surroundings(self) -> Mapping[str, list[Any]]:
        """What is there around functions, by the name of what it is."""
        client = self.account.client
        found = {it: getattr(client(of), asked)(**how)[it] for of, asked, how, it in SURROUNDINGS}
        return {it: there for it, there in found.items() if there}


@pytest.fixture(scope="session")
def account(terraform: Terraform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    assert terraform.mirror is not None
    with opened(tmp_path_factory.mktemp("account")) as account:
        yield account


@pytest.fixture(scope="session")
def bootstrapped(account: Account, terraform: Terraform) -> Bootstrapped:
    administrator = replace(terraform, environ=account.as_administrator)
    administrator.run(account.infra / "bootstrap", "init")
    administrator.run(account.infra / "bootstrap", "apply", "-auto-approve")
    outputs = administrator.outputs(account.infra / "bootstrap")
    job = account.as_job(outputs["deploy_role_arns"]["dev"], outputs["state_bucket"], account.certificate())
    return Bootstrapped(account, administrator, outputs, {**job, MIRROR_VARIABLE: str(terraform.mirror)})


@pytest.fixture(scope="session")
def broken(bootstrapped: Bootstrapped) -> Ended:
    """Deploy where somebody else has taken the name of a role already."""
    iam, name = bootstrapped.account.dev.client("iam"), bootstrapped.account.dev.names.function("payment")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=NOBODY)
    done = bootstrapped.pulsequeue("deploy", "--env", "dev", "--yes", "--from", "plan")
    iam.delete_role(RoleName=name)
    return done


@pytest.fixture(scope="session")
def deployed(bootstrapped: Bootstrapped, broken: Ended) -> Ended:
    """Go on, as was said, once the name is free; meanwhile somebody was given a user."""
    environment, account = bootstrapped.account.dev, bootstrapped.account
    assert broken.returncode != 0
    add_user(environment, pool_id(environment) or "", User(USER, "viewer", TENANT), PASSWORD)
    with numbers_carried(environment, account.endpoint, account.home):
        return bootstrapped.pulsequeue("deploy", "--env", "dev", "--yes", "--from", "plan")


@pytest.fixture(scope="session")
def state(bootstrapped: Bootstrapped, deployed: Ended) -> Mapping[str, Any]:
    assert deployed.returncode == 0
    dev = replace(bootstrapped.terraform, environ=bootstrapped.job)
    shown: dict[str, Any] = json.loads(dev.run(bootstrapped.account.infra / "envs" / "dev", "show", "-json"))
    return shown


@pytest.fixture(scope="session")
def removed(bootstrapped: Bootstrapped, deployed: Ended) -> Ended:
    assert deployed.returncode == 0
    return bootstrapped.pulsequeue("destroy", "--env", "dev", "--yes")


def refused(call: Callable[[], object]) -> bool:
    try:
        call()
    except ClientError as error:
        return error.response["Error"]["Code"] in {"AccessDenied", "AccessDeniedException"}
    return False


def test_what_is_laid_over_infra_is_formatted(terraform: Terraform) -> None:
    assert terraform.run(EMULATED, "fmt", "-recursive", "-check", "-diff") == ""


def test_a_job_of_another_environment_is_not_lent_the_role(bootstrapped: Bootstrapped) -> None:
    role = bootstrapped.outputs["deploy_role_arns"]["dev"]

    assert refused(lambda: bootstrapped.account.lent(role, "prod"))
    assert bootstrapped.account.lent(role, "dev")


@pytest.mark.parametrize("role", ["prod-pulsequeue-order", "pulsequeue-deploy-dev", "somebody-else"])
def test_who_deploys_dev_makes_no_role_but_its_own(bootstrapped: Bootstrapped, role: str) -> None:
    account = bootstrapped.account
    iam = account.client("iam", account.lent(bootstrapped.outputs["deploy_role_arns"]["dev"], "dev"))
    own = account.dev.names.function("new")

    iam.create_role(RoleName=own, AssumeRolePolicyDocument=NOTHING)
    iam.put_role_policy(RoleName=own, PolicyName="none", PolicyDocument=NOTHING)
    iam.delete_role_policy(RoleName=own, PolicyName="none")
    iam.delete_role(RoleName=own)

    assert refused(lambda: iam.create_role(RoleName=role, AssumeRolePolicyDocument=NOTHING))
    assert refused(lambda: iam.put_role_policy(RoleName=role, PolicyName="all", PolicyDocument=NOTHING))
    assert refused(lambda: iam.attach_role_policy(RoleName=role, PolicyArn=EVERYTHING))


def test_an_environment_is_not_touched_when_nobody_says_yes(bootstrapped: Bootstrapped) -> None:
    done = bootstrapped.pulsequeue("deploy", "--env", "dev", "--from", "plan")

    assert done.returncode == 1
    assert "confirm failed: not confirmed. Nothing changed." in done.stderr
    assert bootstrapped.rights == []


def test_while_somebody_deploys_nobody_else_does(bootstrapped: Bootstrapped) -> None:
    s3, bucket = bootstrapped.account.client("s3"), bootstrapped.outputs["state_bucket"]
    held = {"ID": "1", "Operation": "OperationTypeApply", "Who": "a colleague", "Path": bucket}
    s3.put_object(Bucket=bucket, Key="dev/terraform.tfstate.tflock", Body=json.dumps(held).encode())

    done = bootstrapped.pulsequeue("deploy", "--env", "dev", "--yes", "--from", "plan")
    s3.delete_object(Bucket=bucket, Key="dev/terraform.tfstate.tflock")

    assert done.returncode == 1
    assert "a colleague" in done.stderr
    assert bootstrapped.rights == []


def test_a_deployment_that_breaks_half_way_says_how_to_go_on(broken: Ended) -> None:
    assert broken.returncode == 1
    assert "dev-pulsequeue-payment already exists" in broken.stderr
    assert broken.stderr.rstrip().endswith("To resume: pulsequeue deploy --env dev --from plan")


def test_going_on_completes_migrates_and_verifies(deployed: Ended) -> None:
    assert deployed.returncode == 0, deployed.stderr[-4_000:]
    assert "Applied 0001_" in deployed.stdout
    checks = dict(VERIFIED.findall(deployed.stdout))
    assert {"wiring", "tables", "counters", "analytics", "cleanup"} <= {*checks}
    assert {*checks.values()} == {"pass"}


def test_deploying_again_changes_what_the_emulator_forgets_alone(
    bootstrapped: Bootstrapped, state: Mapping[str, Any]
) -> None:
    assert state
    dev = replace(bootstrapped.terraform, environ=bootstrapped.job)

    changes = dev.changes(bootstrapped.account.infra / "envs" / "dev")

    assert [it for it in changes if not any(re.search(known, it) for known in FORGOTTEN)] == []
    assert [it for it in FORGOTTEN if not any(re.search(it, change) for change in changes)] == []


def test_what_surrounds_the_functions_is_there(bootstrapped: Bootstrapped, state: Mapping[str, Any]) -> None:
    made = {it["type"] for it in managed(state["values"]["root_module"])}

    assert {*bootstrapped.surroundings()} == {it for *_, it in SURROUNDINGS}
    assert made >= {
        "aws_budgets_budget",
        "aws_ecs_service",
        "aws_flow_log",
        "aws_lb_listener",
        "aws_s3_object",
    }


def test_functions_of_the_database_are_in_its_network_and_no_others(state: Mapping[str, Any]) -> None:
    everything = [*managed(state["values"]["root_module"])]
    subnets = {
        it["values"]["id"] for it in everything if it["type"] == "aws_subnet" and it["name"] == "private"
    }

    inside = {
        it["values"]["function_name"]: {*it["values"]["vpc_config"][0]["subnet_ids"]}
        for it in everything
        if it["type"] == "aws_lambda_function" and it["values"]["vpc_config"]
    }

    assert inside == {f"dev-pulsequeue-{it}": subnets for it in ("projector", "analytics", "migrator")}


def test_destroying_leaves_nothing(bootstrapped: Bootstrapped, removed: Ended) -> None:
    environment = bootstrapped.account.dev
    # There is no pool to look into, nor a bus or an API.
    looks = {
        name: look
        for name, look in deployed_resources.EVERYTHING.items()
        if name not in ("rules", "routes", "preflight", "users")
    }
    dev = replace(bootstrapped.terraform, environ=bootstrapped.job)

    assert removed.returncode == 0, removed.stderr[-4_000:]
    assert {name: found for name, look in looks.items() if (found := look(environment))} == {}
    assert bootstrapped.surroundings() == {}
    assert bootstrapped.rights == []
    assert dev.run(bootstrapped.account.infra / "envs" / "dev", "state", "list") == ""


def test_the_bucket_of_the_state_refuses_to_go_until_it_is_empty(
    bootstrapped: Bootstrapped, removed: Ended
) -> None:
    account, terraform = bootstrapped.account, bootstrapped.terraform
    bootstrap, bucket = account.infra / "bootstrap", bootstrapped.outputs["state_bucket"]
    assert removed.returncode == 0

    with pytest.raises(ToolError, match="BucketNotEmpty"):
        terraform.run(bootstrap, "destroy", "-auto-approve")

    account.empty(bucket)
    terraform.run(bootstrap, "destroy", "-auto-approve")
    assert terraform.run(bootstrap, "state", "list") == ""
