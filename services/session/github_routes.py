"""The routes of GitHub as a provider of OpenID Connect: what each takes and answers."""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from services.session.calls import Call, Reply, client_of, form_of, oauth_error
from services.session.github import BadRequestError, GitHub
from services.shared.http import problems

Handler: TypeAlias = Callable[[GitHub, Call], Reply]

_PARAMS: Final = ("client_id", "redirect_uri", "response_type", "state")
_KEYS_SECONDS: Final = 300


def _authorize(github: GitHub, call: Call) -> Reply:
    try:
        location = github.authorize_url({name: call.param(name) for name in _PARAMS})
    except BadRequestError as error:
        # A browser is here, and must not be sent to an address that is not the user pool's.
        raise problems.bad_body(f"This sign-in with GitHub is none of ours: {error}") from None
    return Reply(302, headers={"location": location})


def _token(github: GitHub, call: Call) -> Reply:
    form = form_of(call.request)
    if form is None:
        return oauth_error(400, "invalid_request", "Send a form, with each field once.")
    try:
        body = github.token(form, *client_of(call, form))
    except BadRequestError as error:
        return oauth_error(error.status, error.error, str(error))
    return Reply(200, body, {"pragma": "no-cache"})


def _userinfo(github: GitHub, call: Call) -> Reply:
    scheme, token = call.authorization
    claims = github.userinfo(token) if scheme == "bearer" else None
    if claims is None:
        headers = {"www-authenticate": 'Bearer realm="pulsequeue", error="invalid_token"'}
        return Reply(401, {"error": "invalid_token"}, headers)
    return Reply(200, claims)


def _jwks(github: GitHub, _: Call) -> Reply:
    return Reply(200, github.jwks(), {"cache-control": f"public, max-age={_KEYS_SECONDS}"})


ROUTES: Final[Mapping[tuple[str, str], Handler]] = {
    ("GET", "/auth/github/authorize"): _authorize,
    ("GET", "/auth/github/jwks"): _jwks,
    ("GET", "/auth/github/userinfo"): _userinfo,
    ("POST", "/auth/github/token"): _token,
}
