"""IAM database authentication: the password is a token signed by the function's role."""

from collections.abc import Callable
from typing import Final

import botocore.session
from botocore.model import ServiceId
from botocore.signers import RequestSigner

from services.shared.database import DatabaseSettings
from services.shared.errors import MisconfiguredError

_EXPIRES_IN_SECONDS: Final = 900


def iam_password(settings: DatabaseSettings, user: str) -> Callable[[], str]:
    """Return a function that signs tokens; it needs no network."""
    session = botocore.session.get_session()

    def password() -> str:
        credentials = session.get_credentials()
        if credentials is None:
            raise MisconfiguredError(
                "no AWS credentials to sign in to the database; check the function's role"
            )
        # As `generate_db_auth_token` does, without loading the API model of RDS.
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
            expires_in=_EXPIRES_IN_SECONDS,
        )
        return str(url).removeprefix("https://")

    return password
