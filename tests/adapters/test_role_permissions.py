"""The permissions that an environment adds for GitHub and for second factors: each is needed, and no other.

The environment that tests apply has neither, so they are tried alone, as a user of an emulator that checks
permissions. The actions are read from the module; that roles get them is in infra/modules/pulsequeue/tests.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from scripts.common.project_files import CHECKOUT
from scripts.environment.environment import Clients
from scripts.local.aws import emulator as ministack
from services.organizations.cognito import second_factor
from services.session.signing import KmsSigner

pytestmark = pytest.mark.emulator

MODULE = CHECKOUT / "infra/modules/pulsequeue/identity_providers.tf"


@dataclass(frozen=True)
class Account:
    endpoint: str
    root: Clients

    def allowed(self, actions: Sequence[str]) -> Clients:
        """Return the clients of a new user who may do this and nothing else."""
        iam, name = self.root.client("iam"), f"function-{uuid4().hex[:8]}"
        iam.create_user(UserName=name)
        if actions:
            statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
            policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
            iam.put_user_policy(UserName=name, PolicyName="permissions", PolicyDocument=policy)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return Clients.of_emulator(
            self.endpoint, ministack.REGION, key["AccessKeyId"], key["SecretAccessKey"]
        )


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    started = ministack.start(tmp_path_factory.mktemp("iam"), ministack.free_port(), checks_rights=True)
    try:
        root = Clients.of_emulator(
            started.endpoint, ministack.REGION, ministack.ACCESS_KEY_ID, ministack.SECRET_ACCESS_KEY
        )
        yield Account(started.endpoint, root)
    finally:
        ministack.stop(started)


def actions_of(service: str) -> Sequence[str]:
    """Read the actions of a service that the module allows, but for those of an owner."""
    found = re.findall(rf'"({service}:\w+)"', MODULE.read_text(encoding="utf-8"))
    return sorted(set(found))


def signs_for_github(account: Account) -> Callable[[Clients], bool]:
    key = account.root.client("kms").create_key(KeyUsage="SIGN_VERIFY", KeySpec="RSA_2048")
    key_id = key["KeyMetadata"]["KeyId"]

    def signs(clients: Clients) -> bool:
        signer = KmsSigner(clients.client("kms"), key_id)
        _, public = signer.public_key()
        return public.verifies(b"message", signer.sign(b"message"))

    return signs


def reads_second_factors(account: Account) -> Callable[[Clients], bool]:
    cognito = account.root.client("cognito-idp")
    pool = cognito.create_user_pool(PoolName="people")["UserPool"]["Id"]
    cognito.admin_create_user(UserPoolId=pool, Username="admin", MessageAction="SUPPRESS")
    return lambda clients: not second_factor(clients.client("cognito-idp"), pool, "admin")


@pytest.mark.parametrize(
    ("make_check", "service", "count"),
    [(signs_for_github, "kms", 2), (reads_second_factors, "cognito-idp", 1)],
    ids=["GitHub", "second factors"],
)
def test_each_permission_is_needed_and_no_other(
    account: Account, make_check: Callable[[Account], Callable[[Clients], bool]], service: str, count: int
) -> None:
    actions, succeeds = actions_of(service), make_check(account)

    assert len(actions) == count
    assert succeeds(account.allowed(actions))
    for action in actions:
        with pytest.raises(ClientError, match=r"AccessDenied|not authorized"):
            succeeds(account.allowed([it for it in actions if it != action]))
