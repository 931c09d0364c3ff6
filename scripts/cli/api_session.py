"""Signs in to the HTTP API, locally as one of the test users."""

from collections.abc import Callable
from dataclasses import dataclass

from scripts.cli.session import Session
from scripts.common.errors import ToolError

_USAGE = 2


@dataclass(frozen=True, slots=True)
class SignedIn:
    api_url: str
    sign_in: Callable[[], str]


def sign_in(session: Session, user: str | None, why: str) -> SignedIn:
    """Find the API and who signs in: locally the editor by default; `why` names what needs it."""
    import os

    from scripts.environment.cognito import token
    from scripts.environment.environment import open_environment
    from scripts.environment.local_state import StackState, home_folder
    from scripts.ops import metrics_page

    environment = open_environment(session.env)
    name, password = user, os.environ.get("PULSEQUEUE_PASSWORD", "")
    if environment.is_local and user is None:
        state = StackState.read(home_folder())
        name, password = "editor", state.users_password if state else ""
    if not name or not password:
        raise ToolError(f"{why} needs --user NAME and PULSEQUEUE_PASSWORD.", exit_code=_USAGE)
    who = name
    api_url = metrics_page.address(environment).url.removesuffix("/metrics")
    return SignedIn(api_url, lambda: token(environment, who, password))
