"""Rotates the secrets that deployments made, with the previous value accepted until it is retired."""

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from scripts.common.errors import ToolError
from scripts.environment.cognito import SESSION, pool_id
from scripts.environment.environment import Environment
from scripts.ops.secret_names import SecretName
from services.shared.adapters.rotated_secret import REREAD_SECONDS

_SESSION_KEEPS: Final = timedelta(minutes=6)
"""The function `session` reads its client's secret every five minutes."""
_CLOCK_SKEW: Final = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Rotated:
    """What happened, and whether the previous value is accepted still."""

    name: SecretName
    previous_accepted: bool


class SecretRotation:
    def __init__(
        self,
        environment: Environment,
        *,
        wait: Callable[[float], None] = time.sleep,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._environment = environment
        self._wait = wait
        self._now = now

    def values(self, name: SecretName) -> int | None:
        """Return how many values of a secret are accepted; None where there is no such secret."""
        if name == SecretName.CURSOR_KEY:
            return len(self._read(SecretName.CURSOR_KEY)[0].split())
        if name == SecretName.CLIENT_SECRET:
            return None if self._environment.is_local else len(self._client_secrets(self._client()))
        return 1 if self._has_cluster() else None

    def rotate(self, name: SecretName) -> Rotated:
        """Make a new value, and use it once everybody accepts it."""
        if name == SecretName.CURSOR_KEY:
            return self._rotate_cursor_key()
        if name == SecretName.CLIENT_SECRET:
            return self._rotate_client_secret()
        return self._rotate_database()

    def retire(self, name: SecretName) -> bool:
        """Accept the newest value only; False if that is so already."""
        if name == SecretName.CURSOR_KEY:
            return self._retire_cursor_key()
        if name == SecretName.CLIENT_SECRET:
            return self._retire_client_secret()
        raise ToolError("the database has one password at a time; there is nothing to retire.", exit_code=2)

    def _rotate_cursor_key(self) -> Rotated:
        newest = self._read(SecretName.CURSOR_KEY)[0].split()[0]
        new = secrets.token_urlsafe(32)
        # A function that has not read the new key yet would refuse what others have signed with it.
        self._write(SecretName.CURSOR_KEY, f"{newest} {new}")
        self._wait(REREAD_SECONDS + 5)
        self._write(SecretName.CURSOR_KEY, f"{new} {newest}")
        return Rotated(SecretName.CURSOR_KEY, previous_accepted=True)

    def _retire_cursor_key(self) -> bool:
        value, changed = self._read(SecretName.CURSOR_KEY)
        newest, *previous = value.split()
        self._check_age(changed, timedelta(seconds=REREAD_SECONDS + 5))
        if previous:
            self._write(SecretName.CURSOR_KEY, newest)
        return bool(previous)

    def _rotate_client_secret(self) -> Rotated:
        client = self._client()
        if len(self._client_secrets(client)) > 1:
            raise ToolError(
                "two secrets of the client are valid, and the user pool takes no third; "
                f"run `pulsequeue secrets retire {SecretName.CLIENT_SECRET}` first."
            )
        cognito = self._environment.client("cognito-idp")
        added = cognito.add_user_pool_client_secret(**client)["ClientSecretDescriptor"]
        try:
            self._write(SecretName.CLIENT_SECRET, added["ClientSecretValue"])
        except BaseException:
            cognito.delete_user_pool_client_secret(**client, ClientSecretId=added["ClientSecretId"])
            raise
        return Rotated(SecretName.CLIENT_SECRET, previous_accepted=True)

    def _retire_client_secret(self) -> bool:
        client = self._client()
        *previous, newest = self._client_secrets(client)
        if not previous:
            return False
        _, changed = self._read(SecretName.CLIENT_SECRET)
        if changed < newest["ClientSecretCreateDate"] - _CLOCK_SKEW:
            raise ToolError(
                f"the newest secret, {newest['ClientSecretId']}, is not the one in use: a rotation was cut "
                "off. Delete it (`aws cognito-idp delete-user-pool-client-secret`), then rotate again."
            )
        self._check_age(changed, _SESSION_KEEPS)
        for it in previous:
            self._environment.client("cognito-idp").delete_user_pool_client_secret(
                **client, ClientSecretId=it["ClientSecretId"]
            )
        return True

    def _rotate_database(self) -> Rotated:
        if not self._has_cluster():
            raise ToolError(
                f"{self._environment.name} has no database whose password AWS keeps; nothing to rotate."
            )
        # Only the migrator uses it, and reads it each time; all others sign in with tokens.
        self._environment.client("rds").modify_db_cluster(
            DBClusterIdentifier=self._environment.names.database_secret,
            RotateMasterUserPassword=True,
            ApplyImmediately=True,
        )
        return Rotated(SecretName.DATABASE, previous_accepted=False)

    def _has_cluster(self) -> bool:
        rds = self._environment.client("rds")
        try:
            found = rds.describe_db_clusters(DBClusterIdentifier=self._environment.names.database_secret)
        except rds.exceptions.DBClusterNotFoundFault:
            return False
        return bool(found["DBClusters"])

    def _check_age(self, changed: datetime, wanted: timedelta) -> None:
        remaining = (changed + wanted - self._now()).total_seconds()
        if remaining > 0:
            raise ToolError(
                f"some functions may use the previous value for another {remaining:.0f} s; retry then."
            )

    def _client(self) -> dict[str, str]:
        if self._environment.is_local:
            raise ToolError("the local user pool cannot rotate the secret of its client.")
        pool = pool_id(self._environment)
        if pool is None:
            raise ToolError(
                f"user pool {self._environment.names.user_pool} not found; "
                f"deploy {self._environment.name} first."
            )
        cognito = self._environment.client("cognito-idp")
        clients = cognito.list_user_pool_clients(UserPoolId=pool, MaxResults=60)["UserPoolClients"]
        found = next((it["ClientId"] for it in clients if it["ClientName"] == SESSION), None)
        if found is None:
            raise ToolError(f"the user pool has no client {SESSION}; deploy {self._environment.name} again.")
        return {"UserPoolId": pool, "ClientId": found}

    def _client_secrets(self, client: Mapping[str, str]) -> list[Any]:
        """List the valid secrets of the client, oldest first."""
        found = self._environment.client("cognito-idp").list_user_pool_client_secrets(**client)
        return sorted(found["ClientSecrets"], key=lambda it: it["ClientSecretCreateDate"])

    def _read(self, name: str) -> tuple[str, datetime]:
        ssm, parameter = self._environment.client("ssm"), self._environment.names.secret(name)
        try:
            found = ssm.get_parameter(Name=parameter, WithDecryption=True)["Parameter"]
        except ssm.exceptions.ParameterNotFound:
            raise ToolError(
                f"parameter {parameter} does not exist; deploy {self._environment.name} first."
            ) from None
        return found["Value"], found["LastModifiedDate"]

    def _write(self, name: str, value: str) -> None:
        self._environment.client("ssm").put_parameter(
            Name=self._environment.names.secret(name), Value=value, Type="SecureString", Overwrite=True
        )
