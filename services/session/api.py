"""Sessions over HTTP: what each route takes and answers, and with which cookies."""

import html
import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, TypeAlias

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

from services.session import cookies, github_routes
from services.session.calls import Call, Reply, client_of, form_of, oauth_error
from services.session.github import GitHub
from services.session.oidc import RefusedError, Tokens
from services.session.service import Sessions
from services.shared.errors import TransientError
from services.shared.http import problems
from services.shared.http.problems import ProblemError
from services.shared.http.request import Request
from services.shared.log_events import LogEvent
from services.shared.membership import Membership
from services.shared.telemetry import Telemetry

REFRESH_SECONDS: Final = 7 * 86_400
"""As long as the pool's refresh tokens are valid."""

_HEADERS: Final = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
_POLICY: Final = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"


Handler: TypeAlias = Callable[[Sessions, Call], Reply]


def _login(sessions: Sessions, call: Call) -> Reply:
    started = sessions.start(call.param("next"), call.param("provider"))
    return Reply(302, headers={"location": started.location}, cookies=[cookies.login(started.login)])


def _callback(sessions: Sessions, call: Call) -> Reply:
    login = cookies.Login.decode(call.cookies.get(cookies.LOGIN))
    tokens = sessions.finish(login, state=call.param("state"), code=call.param("code"))
    to = login.next if login else "/"
    return Reply(302, headers={"location": to}, cookies=[*_session_cookies(tokens), cookies.NO_LOGIN])


def _refresh(sessions: Sessions, call: Call) -> Reply:
    _require_header(call)
    tokens = sessions.client.renew(_refresh_token(call))
    return Reply(204, cookies=_session_cookies(tokens))


def _logout(sessions: Sessions, call: Call) -> Reply:
    """End the session here and at the pool; `logoutUrl` also ends the one of the pool's own pages."""
    _require_header(call)
    if refresh_token := call.cookies.get(cookies.REFRESH):
        sessions.client.revoke(refresh_token)
    body = {"data": {"logoutUrl": sessions.pool.logout_url(f"{sessions.console_url}/")}}
    return Reply(200, body, cookies=cookies.SIGNED_OUT)


def _me(sessions: Sessions, call: Call) -> Reply:
    person = sessions.person(call.cookies.get(cookies.SESSION))
    if person is None:
        raise problems.unauthenticated()
    data = {
        "userId": person.user_id,
        "email": person.email,
        "current": _membership(person.current) if person.current else None,
        "memberships": [_membership(it) for it in person.memberships],
    }
    return Reply(200, {"data": data})


def _providers(sessions: Sessions, _: Call) -> Reply:
    """Where one can sign in beside the pool's own page."""
    return Reply(200, {"data": {"providers": sorted(sessions.providers)}})


def _token(sessions: Sessions, call: Call) -> Reply:
    """The token endpoint of RFC 6749, for the grant client_credentials."""
    form = form_of(call.request)
    if form is None or "grant_type" not in form:
        return oauth_error(400, "invalid_request", "Send a form with grant_type once.")
    if form["grant_type"] != "client_credentials":
        return oauth_error(400, "unsupported_grant_type", "Send grant_type=client_credentials.")
    client_id, secret = client_of(call, form)
    try:
        tokens, granted = sessions.machine(client_id, secret)
    except RefusedError:
        return oauth_error(401, "invalid_client", "The client id or the secret is wrong.")
    if not set(form.get("scope", "").split()) <= set(granted.split()):
        return oauth_error(400, "invalid_scope", f"The machine has the scopes {granted}.")
    body = {
        "access_token": tokens.id_token,
        "token_type": "Bearer",
        "expires_in": tokens.seconds,
        "scope": granted,
    }
    return Reply(200, body, {"pragma": "no-cache"})


ROUTES: Final[Mapping[tuple[str, str], Handler]] = {
    ("GET", "/auth/login"): _login,
    ("GET", "/auth/callback"): _callback,
    ("GET", "/auth/me"): _me,
    ("GET", "/auth/providers"): _providers,
    ("POST", "/auth/logout"): _logout,
    ("POST", "/auth/refresh"): _refresh,
    ("POST", "/auth/token"): _token,
}


def build(
    sessions: Sessions, telemetry: Telemetry, github: GitHub | None = None
) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Answer the routes of sign-in; those of GitHub only where people can sign in with it."""
    routes: dict[tuple[str, str], Callable[[Call], Reply]] = {
        route: partial(handler, sessions) for route, handler in ROUTES.items()
    }
    if github is not None:
        routes |= {route: partial(handler, github) for route, handler in github_routes.ROUTES.items()}

    def answer(event: dict[str, Any]) -> dict[str, Any]:
        request = Request.of(APIGatewayProxyEventV2(event))
        call = Call(request, cookies.read(event))
        try:
            reply = _handler(routes, request)(call)
        except RefusedError as error:
            telemetry.info(LogEvent.SIGN_IN_REFUSED, path=request.path, why=str(error))
            reply = _refused(call)
        except ProblemError as error:
            reply = _problem(call, error)
        except TransientError as error:
            telemetry.warning(LogEvent.REQUEST_UNAVAILABLE, why=str(error), request_id=request.request_id)
            reply = _problem(call, problems.unavailable())
        except Exception as error:  # noqa: BLE001 - the edge of the function: callers learn nothing of what is inside
            telemetry.error(LogEvent.REQUEST_FAILED, error)
            reply = _problem(call, problems.unexpected())
        telemetry.info(
            LogEvent.REQUEST_SERVED, path=request.path, status=reply.status, request_id=request.request_id
        )
        return _for_gateway(reply)

    return answer


def _handler(
    routes: Mapping[tuple[str, str], Callable[[Call], Reply]], request: Request
) -> Callable[[Call], Reply]:
    try:
        return routes[request.method, request.path]
    except KeyError:
        raise problems.not_found("There is no such route of sign-in.") from None


def _session_cookies(tokens: Tokens) -> list[str]:
    renewed = [cookies.refresh(tokens.refresh_token, REFRESH_SECONDS)] if tokens.refresh_token else []
    return [cookies.session(tokens.id_token, tokens.seconds), *renewed]


def _require_header(call: Call) -> None:
    if not call.request.headers.get("x-requested-with"):
        raise problems.forbidden("Send the header `x-requested-with`, which a form of another site cannot.")


def _refresh_token(call: Call) -> str:
    try:
        return call.cookies[cookies.REFRESH]
    except KeyError:
        raise RefusedError("no refresh token") from None


def _refused(call: Call) -> Reply:
    """A refused sign-in or renewal; what is left of it in the browser is removed."""
    if call.request.path == "/auth/callback":
        reply = _problem(call, problems.bad_body("This sign-in is over or was not yours. Sign in again."))
        return Reply(reply.status, reply.body, reply.headers, [cookies.NO_LOGIN])
    reply = _problem(call, problems.unauthenticated())
    return Reply(reply.status, reply.body, reply.headers, cookies.SIGNED_OUT)


def _problem(call: Call, error: ProblemError) -> Reply:
    """A page for people who follow a redirect, a problem document for programs."""
    problem = error.problem(call.request.instance)
    if call.request.method == "GET" and "text/html" in (call.request.headers.get("accept") or ""):
        title, detail = html.escape(problem.title), html.escape(problem.detail)
        page = (
            f'<!doctype html><html lang="en"><title>{title}</title><h1>{title}</h1><p>{detail}</p>'
            '<p><a href="/auth/login">Sign in</a></p></html>'
        )
        headers = {"content-type": "text/html; charset=utf-8", "content-security-policy": _POLICY}
        return Reply(problem.status, page, {**error.headers, **headers})
    body = problem.model_dump(mode="json", exclude_none=True)
    return Reply(problem.status, body, {**error.headers, "content-type": problems.MEDIA_TYPE})


def _membership(membership: Membership) -> dict[str, str]:
    return {
        "tenantId": membership.tenant_id,
        "organization": membership.organization,
        "role": membership.role,
    }


def _for_gateway(reply: Reply) -> dict[str, Any]:
    is_text = isinstance(reply.body, str)
    content = {} if reply.body is None or is_text else {"content-type": "application/json"}
    body = "" if reply.body is None else reply.body if is_text else json.dumps(reply.body)
    return {
        "statusCode": reply.status,
        "headers": {**content, **_HEADERS, **reply.headers},
        "cookies": list(reply.cookies),
        "body": body,
        "isBase64Encoded": False,
    }
