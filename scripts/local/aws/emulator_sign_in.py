"""Changes how the emulator signs people in: test users by one click, verified addresses of other providers.

MiniStack writes what a provider of OpenID Connect says as Python does: an address is then verified by "True",
which its own tokens do not take for true.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any, Final

from services.shared.http.roles import ROLES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_FORM_END: Final = "</form>"


def with_test_users(
    page: Callable[..., str], users_of: Callable[[str], Mapping[str, Any]]
) -> Callable[..., str]:
    """Wrap the emulator's page: below its form one button for each test user, in a form of its own."""

    def with_buttons(client_id: str, *arguments: Any, **options: Any) -> str:  # noqa: ANN401 - MiniStack's
        text = page(client_id, *arguments, **options)
        start, end = text.find("<form"), text.find('<label for="username">')
        seeded = [role for role in ROLES if role in users_of(client_id)]
        if start < 0 or end < 0 or not seeded:
            return text
        fields = text[start:end]
        buttons = "".join(
            f'{fields}<input type="hidden" name="username" value="{html.escape(role)}">'
            f'<button type="submit">Continue as {html.escape(role)}</button></form>'
            for role in seeded
        )
        head, _, tail = text.partition(_FORM_END)
        return f"{head}{_FORM_END}<p>Test users of this machine:</p>{buttons}{tail}"

    return with_buttons


def without_password(authenticate: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap the emulator's check of the page's form: test users need no password there."""

    def authenticated(pool: Mapping[str, Any], username: str, password: str) -> Any:  # noqa: ANN401 - MiniStack's
        if not password and username in ROLES and username in pool["_users"]:
            return pool["_users"][username], None
        return authenticate(pool, username, password)

    return authenticated


def as_json_says(decode: Callable[[str], Mapping[str, Any]]) -> Callable[[str], Mapping[str, Any]]:
    """Wrap the emulator's reader of ID tokens: true is "true"."""

    def decoded(id_token: str) -> Mapping[str, Any]:
        claims = decode(id_token)
        return {name: str(it).lower() if isinstance(it, bool) else it for name, it in claims.items()}

    return decoded
