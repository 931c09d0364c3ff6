"""Wires sign-in to AWS, once per process."""

import secrets
import time
from collections.abc import Callable
from functools import cache
from typing import Any

from services.session.api import build
from services.session.cognito import CognitoTokenClient, published_keys, ssm_secret
from services.session.github import GitHub
from services.session.github_client import HttpGitHub
from services.session.oidc import Pool
from services.session.service import Sessions
from services.session.settings import SessionSettings
from services.session.signing import KmsSigner
from services.shared.adapters.clients import Clients
from services.shared.adapters.console_table import ConsoleTable
from services.shared.adapters.telemetry import PowertoolsTelemetry


@cache
def session() -> Callable[[Any, Any], dict[str, Any]]:
    settings = SessionSettings.from_environment()
    telemetry = PowertoolsTelemetry("session", settings.metrics_namespace)
    clients = Clients()
    pool = Pool(settings.sign_in_url, settings.issuer, settings.client_id)
    secret = ssm_secret(clients.ssm(), settings.secret_parameter, time.monotonic)
    answer = build(
        Sessions(
            pool=pool,
            client=CognitoTokenClient(clients.cognito_idp(), pool, secret),
            keys=published_keys(settings.keys_url, time.monotonic),
            console=ConsoleTable(clients.dynamodb(), settings.console_table),
            console_url=settings.console_url,
            providers=frozenset(settings.providers.split()),
            new_secret=lambda: secrets.token_urlsafe(32),
            clock=time.time,
        ),
        telemetry,
        _github(settings, clients),
    )

    def invoke(event: dict[str, Any], context: object) -> dict[str, Any]:
        with telemetry.invocation(context):
            return answer(event)

    return invoke


def _github(settings: SessionSettings, clients: Clients) -> GitHub | None:
    if not settings.github_client_id:
        return None
    return GitHub(
        client_id=settings.github_client_id,
        issuer=settings.github_issuer,
        callback_url=settings.github_callback_url,
        url=settings.github_url,
        api=HttpGitHub(settings.github_url, settings.github_api_url),
        signer=KmsSigner(clients.kms(), settings.github_signing_key),
        clock=time.time,
    )
