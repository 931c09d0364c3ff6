"""Signing in at the console's address, as a browser does it: to the user pool's page, back, and out again."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

from scripts.environment.console_site import fetch, find_site
from scripts.verify.checks import CheckFailedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from scripts.environment.console_site import SiteResponse
    from scripts.environment.environment import Environment
    from scripts.verify.endpoints import Credentials, Endpoints

_LOGIN: Final = "__Host-login"
_SESSION: Final = "__Host-session"
_REFRESH: Final = "refresh"
_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}
_WRITE: Final = {"x-requested-with": "pulsequeue-verify"}
_MAX_REDIRECTS: Final = 5


class SignInChecks:
    def __init__(self, environment: Environment, endpoints: Endpoints) -> None:
        self._environment = environment
        self._endpoints = endpoints

    def people_sign_in(self) -> str:
        """Follow a sign-in as far as possible without a browser.

        Where people come back to another address (without `console_domain` the pool does not know the name
        of the site) it ends before the pool's page; on AWS, or without a user to sign in as, at that page.
        """
        url = find_site(self._environment).url
        login = _expect(fetch(f"{url}/auth/login"), 302, f"{url}/auth/login")
        begun = _cookies(login)
        if _LOGIN not in begun:
            raise CheckFailedError(f"{url}/auth/login sets no cookie {_LOGIN}")
        pool = login.headers["location"]
        if (origin := _origin_of_the_callback(pool)) != url:
            return f"people sign in at {origin}, not at {url}; `console_domain` gives both one name"
        page = self._page_of_the_pool(pool, url)
        credentials = self._endpoints.credentials
        if credentials is None or url.startswith("https://"):
            return f"{url}/auth/login leads to the user pool's page, which accepts the address"
        session = self._signed_in(url, page, begun, credentials)
        self._signed_out(url, session)
        return f"{credentials.user} signed in and out at {url}"

    def _page_of_the_pool(self, address: str, url: str) -> tuple[str, SiteResponse]:
        """Follow redirects to the page; the pool sends unknown addresses to a page about the error."""
        refused = (
            f"the user pool refuses a sign-in that comes back to {url}/auth/callback; the callback URLs "
            "of its client `session` have to list it (infra/modules/user-pool)"
        )
        for _ in range(_MAX_REDIRECTS):
            answer = fetch(address)
            if answer.status not in (301, 302, 303, 307):
                break
            address = urljoin(address, answer.headers["location"])
        if answer.status != 200 or urlsplit(address).path == "/error":  # noqa: PLR2004 - HTTP
            raise CheckFailedError(f"{refused}; it answers {answer.status}")
        return address, answer

    def _signed_in(
        self, url: str, page: tuple[str, SiteResponse], begun: Mapping[str, str], credentials: Credentials
    ) -> Mapping[str, str]:
        address, form = page
        hidden = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form.body.decode())
        fields = {name: unescape(value) for name, value in hidden}
        body = urlencode({**fields, "username": credentials.user, "password": credentials.password})
        done = fetch(urljoin(address, "/login"), _FORM, "POST", body)
        back = done.headers.get("location", "")
        if not back.startswith(f"{url}/auth/callback?"):
            raise CheckFailedError(
                f"the user pool accepted no sign-in of {credentials.user}, but returned {done.status}; "
                "check the password"
            )
        session = _cookies(_expect(fetch(back, _cookie(begun)), 302, f"{url}/auth/callback"))
        if not {_SESSION, _REFRESH} <= session.keys():
            raise CheckFailedError(f"{url}/auth/callback sets no session, but {sorted(session)}")
        return session

    def _signed_out(self, url: str, session: Mapping[str, str]) -> None:
        """Check who is signed in, by the session and by a token, then end the session."""
        me = _data(_expect(fetch(f"{url}/auth/me", _cookie(session)), 200, f"{url}/auth/me"))
        by_api = _data(_expect(fetch(f"{url}/api/me", _cookie(session)), 200, f"{url}/api/me"))
        if me["userId"] != by_api["userId"]:
            raise CheckFailedError(f"/auth/me is {me['userId']}, but /api/me is {by_api['userId']}")
        _expect(
            fetch(f"{url}/auth/refresh", {**_cookie(session), **_WRITE}, "POST"), 204, f"{url}/auth/refresh"
        )
        _expect(
            fetch(f"{url}/auth/logout", {**_cookie(session), **_WRITE}, "POST"), 200, f"{url}/auth/logout"
        )
        ended = fetch(f"{url}/auth/refresh", {**_cookie(session), **_WRITE}, "POST")
        _expect(ended, 401, f"{url}/auth/refresh after signing out")


def _origin_of_the_callback(address: str) -> str:
    (callback,) = parse_qs(urlsplit(address).query)["redirect_uri"]
    return callback.removesuffix("/auth/callback")


def _expect(answer: SiteResponse, status: int, what: str) -> SiteResponse:
    if answer.status != status:
        raise CheckFailedError(f"{what} returns {answer.status}, expected {status}")
    return answer


def _cookies(answer: SiteResponse) -> Mapping[str, str]:
    pairs: Iterable[list[str]] = (it.partition(";")[0].split("=", 1) for it in answer.cookies)
    return {name: value for name, value in pairs if value}


def _cookie(cookies: Mapping[str, str]) -> Mapping[str, str]:
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}


def _data(answer: SiteResponse) -> Any:  # noqa: ANN401 - a JSON tree
    return json.loads(answer.body)["data"]
