"""How a function proves to the database who it is: by a token that its role lets it sign."""

from collections.abc import Callable
from typing import Final

import botocore.session
from botocore.model import ServiceId
from botocore.signers import RequestSigner

from services.analytics.settings import DatabaseSettings
from services.shared.errors import MisconfiguredError

_GOOD_FOR_SECONDS: Final = 900


def iam_password(settings: DatabaseSettings, user: str) -> Callable[[], str]:
    """Return what makes passwords. Nothing is asked for over the network: a token is a signed request."""
    session = botocore.session.get_session()

    def password() -> str:
        credentials = session.get_credentials()
        if credentials is None:
            raise MisconfiguredError("there are no AWS credentials to sign in to the database with")
        # What `generate_db_auth_token` does, without the model of all of RDS that its client would read.
        signer = RequestSigner(
            ServiceId("rds-db"),
            settings.region,
            "rds-db",
            "v4",
            credentials,
            session.get_component("event_emitter"),
        )
        address = f"{settings.host}:{settings.port}"
        url = signer.generate_presigned_url(
            {
                "method": "GET",
                "url": f"https://{address}/?Action=connect&DBUser={user}",
                "body": {},
                "headers": {},
                "context": {},
            },
            operation_name="connect",
            expires_in=_GOOD_FOR_SECONDS,
        )
        return str(url).removeprefix("https://")

    return password
