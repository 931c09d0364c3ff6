"""The environment variables of each function, derived from its entry in infra/functions.yaml."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from scripts.common.errors import ToolError
from scripts.environment.topology import Consumer, Endpoint, Function, Names, Topology

LOCAL_ACCOUNT: Final = "000000000000"
"""The account of the emulator."""


@dataclass(frozen=True, slots=True)
class DatabaseAddress:
    """Where PostgreSQL is, and how its certificate is verified."""

    host: str
    port: int
    sslmode: str = "verify-full"
    name: str = "pulsequeue"


@dataclass(frozen=True, slots=True)
class GitHubSignIn:
    """GitHub as a provider of OpenID Connect: our app there, and the key that signs for it."""

    client_id: str
    issuer: str
    callback_url: str
    """Where the user pool takes browsers back."""
    signing_key: str
    url: str = "https://github.com"
    api_url: str = "https://api.github.com"


@dataclass(frozen=True, slots=True)
class SignIn:
    """Where people sign in, and the client of the user pool that signs them in."""

    console_url: str
    """The origin that people see."""
    sign_in_url: str
    """The origin of the pool's pages."""
    issuer: str
    keys_url: str
    client_id: str
    providers: Sequence[str] = ()
    github: GitHubSignIn | None = None


@dataclass(frozen=True, slots=True)
class LambdaEnvInputs:
    """Values of one environment: chosen for it, or known once its resources exist."""

    hold_seconds: int
    database: DatabaseAddress | None = None
    queue_url: str = ""
    dead_letter_queue_url: str = ""
    web_origins: Sequence[str] = ()
    user_pool_id: str = ""
    sign_in: SignIn | None = None
    account: str = LOCAL_ACCOUNT


def variables(names: Names, topology: Topology, function: str, inputs: LambdaEnvInputs) -> dict[str, str]:
    """Return the variables that the function's settings and Powertools read."""
    spec = topology.function(function)
    env_vars = {
        "PULSEQUEUE_ENV": names.env,
        "PULSEQUEUE_FUNCTION": function,
        "POWERTOOLS_SERVICE_NAME": function,
        "POWERTOOLS_LOG_LEVEL": "INFO",
        **{f"{_upper(table)}_TABLE": names.table(table) for table in spec.tables},
        **{f"{_upper(it)}_BUCKET": names.bucket(it, inputs.account) for it in spec.buckets},
        **{f"{_upper(secret)}_PARAMETER": names.secret(secret) for secret in spec.secrets},
    }
    env_vars |= {f"{_upper(other)}_QUEUE": names.queue(other) for other in spec.sends_to if other != function}
    if spec.publishes:
        env_vars["BUS_NAME"] = names.bus
    env_vars |= _user_pool(names, function, spec, inputs)
    if spec.reads_metrics:
        env_vars["TOPOLOGY"] = _deployed_resources(topology, inputs.hold_seconds)
    if spec.database:
        if inputs.database is None:
            raise ToolError(f"function {function} needs a database, but no database address is given.")
        env_vars |= {
            "DATABASE_HOST": inputs.database.host,
            "DATABASE_PORT": str(inputs.database.port),
            "DATABASE_NAME": inputs.database.name,
            "DATABASE_SSLMODE": inputs.database.sslmode,
        }
    if spec.database == "owner":
        env_vars["DATABASE_ADMIN_SECRET"] = names.database_secret
    match spec:
        case Consumer():
            env_vars |= {
                "QUEUE_URL": inputs.queue_url,
                "DEAD_LETTER_QUEUE_URL": inputs.dead_letter_queue_url,
                "HOLD_SECONDS": str(inputs.hold_seconds),
            }
            if spec.handed_over < spec.batch_size:
                env_vars["BATCH_SIZE"] = str(spec.batch_size)
        case Endpoint(callers="users"):
            env_vars["ALLOWED_ORIGINS"] = " ".join(inputs.web_origins)
        case Endpoint():
            env_vars["STALE_SECONDS"] = str(topology.settings.stale_seconds)
        case _:
            pass
    return env_vars


def _user_pool(names: Names, function: str, spec: Function, inputs: LambdaEnvInputs) -> dict[str, str]:
    """Return what a function that uses the user pool needs to know of it."""
    managed = {"USER_POOL_ID": inputs.user_pool_id} if spec.manages_users else {}
    if not spec.signs_in:
        return managed
    sign_in = inputs.sign_in
    if sign_in is None:
        raise ToolError(f"function {function} signs people in, but no user pool is given.")
    return {
        **managed,
        "CONSOLE_URL": sign_in.console_url,
        "SIGN_IN_URL": sign_in.sign_in_url,
        "ISSUER": sign_in.issuer,
        "KEYS_URL": sign_in.keys_url,
        "OAUTH_CLIENT_ID": sign_in.client_id,
        "OAUTH_CLIENT_SECRET_PARAMETER": names.oauth_client_secret,
        "IDENTITY_PROVIDERS": " ".join(sign_in.providers),
        **(_github(sign_in.github) if sign_in.github else {}),
    }


def _github(github: GitHubSignIn) -> dict[str, str]:
    return {
        "GITHUB_CLIENT_ID": github.client_id,
        "GITHUB_ISSUER": github.issuer,
        "GITHUB_CALLBACK_URL": github.callback_url,
        "GITHUB_SIGNING_KEY": github.signing_key,
        "GITHUB_URL": github.url,
        "GITHUB_API_URL": github.api_url,
    }


def _deployed_resources(topology: Topology, hold_seconds: int) -> str:
    """Encode the resources to measure, by short name; full names follow from the environment."""
    consumers = topology.consumers
    deployed = {
        "functions": {
            name: {"memoryMb": spec.memory_mb, "queue": name in consumers}
            for name, spec in topology.functions.items()
        },
        "tables": list(topology.tables),
        "holdSeconds": hold_seconds,
    }
    return json.dumps(deployed, separators=(",", ":"))


def _upper(name: str) -> str:
    return name.replace("-", "_").upper()
