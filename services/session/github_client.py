"""GitHub's OAuth and API over HTTP."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from services.session.github import BadRequestError, Profile
from services.shared.errors import MisconfiguredError, TransientError

_SECONDS: Final = 3
"""Three calls, one after another, within the time that the user pool and the function wait."""
_HEADERS: Final = {"user-agent": "pulsequeue", "x-github-api-version": "2022-11-28"}


class GitHubUnavailableError(TransientError):
    """GitHub did not answer, or had an error of its own."""


class HttpGitHub:
    """Implements `services.session.github.GitHubApi`."""

    def __init__(self, url: str, api_url: str) -> None:
        self._url = url
        self._api_url = api_url

    def exchange(self, client_id: str, secret: str, code: str, redirect_uri: str) -> str:
        form = {"client_id": client_id, "client_secret": secret, "code": code, "redirect_uri": redirect_uri}
        found = self._call(
            f"{self._url}/login/oauth/access_token",
            {"accept": "application/json"},
            urlencode(form).encode(),
        )
        # GitHub answers 200 in any case.
        match found:
            case {"access_token": str(token)}:
                return token
            case {"error": "incorrect_client_credentials"}:
                raise BadRequestError("invalid_client", "GitHub refuses the client's secret.", 401)
            case {"error": str(error)}:
                raise BadRequestError("invalid_grant", f"GitHub refuses the code: {error}.")
            case _:
                raise GitHubUnavailableError("GitHub: neither a token nor an error")

    def profile(self, access_token: str) -> Profile:
        headers = {"accept": "application/vnd.github+json", "authorization": f"Bearer {access_token}"}
        user = self._call(f"{self._api_url}/user", headers)
        emails = self._call(f"{self._api_url}/user/emails?per_page=100", headers)
        email = next((it["email"] for it in emails if it["primary"] and it["verified"]), None)
        return Profile(int(user["id"]), user["login"], user.get("name"), email)

    def _call(self, address: str, headers: Mapping[str, str], body: bytes | None = None) -> Any:  # noqa: ANN401 - JSON
        request = urllib.request.Request(address, body, {**_HEADERS, **headers})  # noqa: S310 - the scheme is checked by the settings
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS) as response:  # noqa: S310 - as above
                return json.load(response)
        except urllib.error.HTTPError as error:
            with error:
                if error.code in {401, 403, 404} and body is None and not _is_rate_limit(error):
                    raise MisconfiguredError(f"GitHub refuses {address}: {error.code}") from error
            raise GitHubUnavailableError(f"GitHub: status {error.code}") from error
        except (OSError, ValueError) as error:
            raise GitHubUnavailableError(f"GitHub: {error}") from error


def _is_rate_limit(error: urllib.error.HTTPError) -> bool:
    return error.headers.get("x-ratelimit-remaining") == "0" or "retry-after" in error.headers
