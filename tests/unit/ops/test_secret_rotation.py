"""The secret of the console's client: two are valid for a while, and never the one in use is deleted."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from scripts.common.errors import ToolError
from scripts.environment.environment import Clients, Environment
from scripts.environment.topology import Topology
from scripts.ops.secret_names import SecretName
from scripts.ops.secret_rotation import SecretRotation

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
OLD: dict[str, Any] = {"ClientSecretId": "client--old", "ClientSecretCreateDate": NOW - timedelta(days=90)}
NEW: dict[str, Any] = {"ClientSecretId": "client--new", "ClientSecretCreateDate": NOW - timedelta(minutes=10)}
CLIENT = {"UserPoolId": "us-east-1_pool", "ClientId": "console"}
SECRET = "a-secret-of-the-user-pool"
PARAMETER = "/dev-pulsequeue/oauth-client-secret"


class Account:
    """Stubs of the two services, and a rotation over them."""

    def __init__(self) -> None:
        session = boto3.Session("a", "b", region_name="us-east-1")
        clients = Clients(session)
        environment = Environment("dev", Topology.load(), clients)
        self.cognito = Stubber(clients.client("cognito-idp"))
        self.ssm = Stubber(clients.client("ssm"))
        self.rds = Stubber(clients.client("rds"))
        self.rotation = SecretRotation(environment, now=lambda: NOW)

    def has(self, *valid: dict[str, Any]) -> None:
        pools = {"UserPools": [{"Id": CLIENT["UserPoolId"], "Name": "dev-pulsequeue"}]}
        clients = {"UserPoolClients": [{"ClientId": CLIENT["ClientId"], "ClientName": "session"}]}
        self.cognito.add_response("list_user_pools", pools)
        self.cognito.add_response("list_user_pool_clients", clients)
        self.cognito.add_response("list_user_pool_client_secrets", {"ClientSecrets": [*valid]}, CLIENT)

    def parameter_changed(self, at: datetime) -> None:
        response = {"Parameter": {"Value": "secret", "LastModifiedDate": at}}
        self.ssm.add_response("get_parameter", response, {"Name": PARAMETER, "WithDecryption": True})


@pytest.fixture
def account() -> Iterator[Account]:
    account = Account()
    with account.cognito, account.ssm, account.rds:
        yield account
    account.cognito.assert_no_pending_responses()
    account.ssm.assert_no_pending_responses()
    account.rds.assert_no_pending_responses()


def test_a_new_secret_is_valid_before_it_is_used(account: Account) -> None:
    account.has(OLD)
    added = {"ClientSecretDescriptor": {**NEW, "ClientSecretValue": SECRET}}
    account.cognito.add_response("add_user_pool_client_secret", added, CLIENT)
    written = {"Name": PARAMETER, "Value": SECRET, "Type": "SecureString", "Overwrite": True}
    account.ssm.add_response("put_parameter", {}, written)

    assert account.rotation.rotate(SecretName.CLIENT_SECRET).previous_accepted


def test_a_secret_that_could_not_be_stored_is_deleted(account: Account) -> None:
    account.has(OLD)
    added = {"ClientSecretDescriptor": {**NEW, "ClientSecretValue": SECRET}}
    account.cognito.add_response("add_user_pool_client_secret", added, CLIENT)
    account.ssm.add_client_error("put_parameter", "AccessDeniedException")
    deleted = {**CLIENT, "ClientSecretId": "client--new"}
    account.cognito.add_response("delete_user_pool_client_secret", {}, deleted)

    with pytest.raises(ClientError):
        account.rotation.rotate(SecretName.CLIENT_SECRET)


def test_a_third_secret_is_refused(account: Account) -> None:
    account.has(NEW, OLD)

    with pytest.raises(ToolError, match="retire oauth-client-secret"):
        account.rotation.rotate(SecretName.CLIENT_SECRET)


def test_the_older_secret_is_retired(account: Account) -> None:
    account.has(NEW, OLD)
    account.parameter_changed(NEW["ClientSecretCreateDate"] + timedelta(seconds=1))
    deleted = {**CLIENT, "ClientSecretId": "client--old"}
    account.cognito.add_response("delete_user_pool_client_secret", {}, deleted)

    assert account.rotation.retire(SecretName.CLIENT_SECRET)


def test_the_secret_in_use_is_kept_when_a_rotation_was_cut_off(account: Account) -> None:
    account.has(OLD, NEW)
    account.parameter_changed(OLD["ClientSecretCreateDate"])

    with pytest.raises(ToolError, match="client--new, is not the one in use"):
        account.rotation.retire(SecretName.CLIENT_SECRET)


def test_a_secret_that_functions_may_hold_is_not_retired_yet(account: Account) -> None:
    young = {**NEW, "ClientSecretCreateDate": NOW - timedelta(minutes=2)}
    account.has(OLD, young)
    account.parameter_changed(NOW - timedelta(minutes=2))

    with pytest.raises(ToolError, match="for another 240 s"):
        account.rotation.retire(SecretName.CLIENT_SECRET)


def test_an_only_secret_is_never_retired(account: Account) -> None:
    account.has(NEW)

    assert not account.rotation.retire(SecretName.CLIENT_SECRET)


def test_aws_makes_the_databases_new_password_at_once(account: Account) -> None:
    cluster = {"DBClusterIdentifier": "dev-pulsequeue-database"}
    account.rds.add_response("describe_db_clusters", {"DBClusters": [cluster]}, cluster)
    account.rds.add_response(
        "modify_db_cluster", {}, {**cluster, "RotateMasterUserPassword": True, "ApplyImmediately": True}
    )

    assert not account.rotation.rotate(SecretName.DATABASE).previous_accepted


def test_without_a_database_there_is_no_password_to_rotate(account: Account) -> None:
    account.rds.add_client_error("describe_db_clusters", "DBClusterNotFoundFault")

    with pytest.raises(ToolError, match="nothing to rotate"):
        account.rotation.rotate(SecretName.DATABASE)
