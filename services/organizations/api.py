"""Organisations over HTTP: who may call what, and how a response looks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

from aws_lambda_powertools.event_handler import Response
from pydantic import BaseModel

from services.organizations import requests
from services.organizations.machines import Machines
from services.organizations.service import Organizations, User
from services.shared.events import rfc3339
from services.shared.http import problems
from services.shared.http.app import HttpApi, answer
from services.shared.http.caching import Caching
from services.shared.http.identity import Caller, user_of
from services.shared.http.params import NoParams, RequestParams, parse, parse_body
from services.shared.http.problems import WRONG_STATE, ProblemType
from services.shared.http.request import Request
from services.shared.http.responses import ResponseModel
from services.shared.http.roles import ADMINS, MACHINE, ROLES
from services.shared.http.routes import Route
from services.shared.http.writers import Writers
from services.shared.membership import Membership, current
from services.shared.telemetry import Telemetry

MAX_BODY_BYTES: Final = 64 * 1_024
DOCUMENT_PATH: Final = "/api/openapi.json"


@dataclass(frozen=True, kw_only=True)
class Services:
    organizations: Organizations
    machines: Machines
    founding_allowed: bool


@dataclass(frozen=True, slots=True)
class Call:
    """One request, checked. The tenant is empty where the route is `for_anyone`."""

    user: User
    caller: Caller
    params: Any
    body: Any

    @property
    def tenant_id(self) -> str:
        return self.caller.tenant_id

    @property
    def membership(self) -> Membership:
        return Membership(self.caller.tenant_id, self.user.id, self.caller.role, "")


Handler: TypeAlias = Callable[[Services, Call], ResponseModel]


@dataclass(frozen=True, kw_only=True)
class OrganizationRoute(Route):
    handler: Handler
    params_model: type[RequestParams] = NoParams
    caching: Caching = Caching.NEVER
    for_anyone: bool = False
    """Whether a user without membership may call it."""
    conflicts: frozenset[ProblemType] = frozenset({WRONG_STATE})


# --- me


def _me(services: Services, call: Call) -> ResponseModel:
    memberships, chosen = services.organizations.of_user(call.user.id)
    now = current(memberships, chosen)
    return requests.Me(
        user_id=call.user.id,
        email=call.user.email,
        current=_membership(now) if now else None,
        memberships=[_membership(it) for it in memberships],
    )


def _choose(services: Services, call: Call) -> ResponseModel:
    services.organizations.choose(call.user.id, call.body.tenant_id)
    return _me(services, call)


def _found(services: Services, call: Call) -> ResponseModel:
    if not services.founding_allowed:
        raise problems.forbidden("Organizations are founded by an operator here. Ask for an invitation.")
    return _membership(services.organizations.found(call.user, call.body.name))


def _accept(services: Services, call: Call) -> ResponseModel:
    return _membership(services.organizations.accept(call.user, call.body.token))


def _membership(membership: Membership) -> requests.MembershipView:
    return requests.MembershipView(
        tenant_id=membership.tenant_id, organization=membership.organization, role=membership.role
    )


# --- members and invitations


def _members(services: Services, call: Call) -> ResponseModel:
    found = services.organizations.members(call.tenant_id)
    return requests.Members(
        members=[
            requests.MemberView(user_id=it.user_id, email=it.email, role=it.role, added_at=it.added_at)
            for it in found
        ]
    )


def _set_role(services: Services, call: Call) -> ResponseModel:
    member = services.organizations.set_role(call.tenant_id, call.params.user_id, call.body.role)
    return requests.MemberView(
        user_id=member.user_id, email=member.email, role=member.role, added_at=member.added_at
    )


def _remove(services: Services, call: Call) -> ResponseModel:
    services.organizations.remove(call.tenant_id, call.params.user_id)
    return requests.Done()


def _invitations(services: Services, call: Call) -> ResponseModel:
    return requests.Invitations(
        invitations=[
            requests.InvitationView(
                id=it["id"],
                email=it["email"],
                role=it["role"],
                invited_by=it["invitedBy"],
                expires_at=rfc3339(datetime.fromtimestamp(it["expiresAt"], UTC)),
            )
            for it in services.organizations.invitations(call.tenant_id)
        ]
    )


def _invite(services: Services, call: Call) -> ResponseModel:
    made = services.organizations.invite(call.tenant_id, call.body.email, call.body.role, call.user.id)
    return requests.CreatedInvitation(
        id=made.id,
        email=made.email,
        role=made.role,
        invited_by=call.user.id,
        expires_at=rfc3339(made.expires_at),
        token=made.token,
    )


def _withdraw(services: Services, call: Call) -> ResponseModel:
    services.organizations.withdraw(call.tenant_id, call.params.invitation_id)
    return requests.Done()


# --- saved views


def _views(services: Services, call: Call) -> ResponseModel:
    found = services.organizations.views(call.tenant_id, call.user.id)
    return requests.SavedViews(views=[_view(it) for it in found])


def _save_view(services: Services, call: Call) -> ResponseModel:
    view_id = getattr(call.params, "view_id", None)
    view = call.body.model_dump(mode="json", by_alias=True)
    return _view(services.organizations.save_view(call.tenant_id, call.membership, view, view_id))


def _delete_view(services: Services, call: Call) -> ResponseModel:
    services.organizations.delete_view(call.tenant_id, call.membership, call.params.view_id)
    return requests.Done()


def _view(item: Mapping[str, Any]) -> requests.SavedView:
    names = ("id", "page", "name", "query", "shared", "owner")
    return requests.SavedView(**{name: item[name] for name in names})


# --- machines


def _machines(services: Services, call: Call) -> ResponseModel:
    return requests.MachineViews(
        machines=[
            requests.MachineView(
                client_id=it["id"],
                name=it["name"],
                scopes=it["scopes"],
                created_at=it["createdAt"],
                created_by=it["createdBy"],
            )
            for it in services.machines.all(call.tenant_id)
        ]
    )


def _create_machine(services: Services, call: Call) -> ResponseModel:
    made = services.machines.create(call.tenant_id, call.body.name, call.body.scopes, call.user.id)
    return requests.CreatedMachine(client_id=made.client_id, client_secret=made.secret)


def _delete_machine(services: Services, call: Call) -> ResponseModel:
    services.machines.delete(call.tenant_id, call.params.client_id)
    return requests.Done()


def _route(  # noqa: PLR0913 - the columns of the table of routes
    method_and_path: str,
    summary: str,
    handler: Handler,
    response_model: type[ResponseModel],
    *,
    body: type[BaseModel] | None = None,
    params: type[RequestParams] = NoParams,
    roles: Sequence[str] = ROLES,
    for_anyone: bool = False,
) -> OrganizationRoute:
    method, _, path = method_and_path.partition(" ")
    return OrganizationRoute(
        method=method,
        path=path,
        summary=summary,
        handler=handler,
        response_model=response_model,
        body_model=body,
        params_model=params,
        roles=roles,
        for_anyone=for_anyone,
        status=201 if method == "POST" else 200,
    )


ROUTES: Final = (
    _route("GET /api/me", "Who I am, and where I am a member", _me, requests.Me, for_anyone=True),
    _route(
        "PUT /api/me/organization",
        "Choose the organization of the next token",
        _choose,
        requests.Me,
        body=requests.Choice,
        for_anyone=True,
    ),
    _route(
        "POST /api/organizations",
        "Found an organization",
        _found,
        requests.MembershipView,
        body=requests.NewOrganization,
        for_anyone=True,
    ),
    _route(
        "POST /api/invitations/accept",
        "Join an organization by an invitation",
        _accept,
        requests.MembershipView,
        body=requests.InvitationToken,
        for_anyone=True,
    ),
    _route("GET /api/members", "The members of the organization", _members, requests.Members),
    _route(
        "PATCH /api/members/{userId}",
        "Change a member's role",
        _set_role,
        requests.MemberView,
        body=requests.RoleChange,
        params=requests.UserParams,
        roles=ADMINS,
    ),
    _route(
        "DELETE /api/members/{userId}",
        "Remove a member",
        _remove,
        requests.Done,
        params=requests.UserParams,
        roles=ADMINS,
    ),
    _route("GET /api/invitations", "Open invitations", _invitations, requests.Invitations, roles=ADMINS),
    _route(
        "POST /api/invitations",
        "Invite somebody",
        _invite,
        requests.CreatedInvitation,
        body=requests.NewInvitation,
        roles=ADMINS,
    ),
    _route(
        "DELETE /api/invitations/{invitationId}",
        "Withdraw an invitation",
        _withdraw,
        requests.Done,
        params=requests.InvitationParams,
        roles=ADMINS,
    ),
    _route("GET /api/views", "Saved views: one's own and shared ones", _views, requests.SavedViews),
    _route("POST /api/views", "Save a view", _save_view, requests.SavedView, body=requests.ViewBody),
    _route(
        "PUT /api/views/{viewId}",
        "Replace a saved view",
        _save_view,
        requests.SavedView,
        body=requests.ViewBody,
        params=requests.ViewParams,
    ),
    _route(
        "DELETE /api/views/{viewId}",
        "Delete a saved view",
        _delete_view,
        requests.Done,
        params=requests.ViewParams,
    ),
    _route("GET /api/machines", "Machine tokens", _machines, requests.MachineViews, roles=ADMINS),
    _route(
        "POST /api/machines",
        "Create a machine token",
        _create_machine,
        requests.CreatedMachine,
        body=requests.NewMachine,
        roles=ADMINS,
    ),
    _route(
        "DELETE /api/machines/{clientId}",
        "Take a machine token away",
        _delete_machine,
        requests.Done,
        params=requests.MachineParams,
        roles=ADMINS,
    ),
)


def build(
    services: Services,
    writers: Writers,
    *,
    allowed_origins: Sequence[str],
    clock: Callable[[], datetime],
    telemetry: Telemetry,
) -> HttpApi[OrganizationRoute]:
    def handle(route: OrganizationRoute, request: Request, path_params: Mapping[str, str]) -> Response[str]:
        now = clock().astimezone(UTC)
        user = _user(request.claims, now)
        caller = _caller(route, request, user, now, writers)
        params = parse(route.params_model, [*path_params.items(), *request.query])
        body = parse_body(route.body_model, request.json(MAX_BODY_BYTES)) if route.body_model else None
        data = route.handler(services, Call(user, caller, params, body))
        return answer(route, data)

    return HttpApi(
        routes=ROUTES,
        handle=handle,
        document_path=DOCUMENT_PATH,
        allowed_origins=allowed_origins,
        clock=clock,
        telemetry=telemetry,
    )


def _user(claims: Mapping[str, Any] | None, now: datetime) -> User:
    user_id = user_of(claims, now)
    verified = str((claims or {}).get("email_verified")).lower() == "true"
    email = (claims or {}).get("email")
    return User(user_id, email.lower() if verified and isinstance(email, str) and email else None)


def _caller(
    route: OrganizationRoute, request: Request, user: User, now: datetime, writers: Writers
) -> Caller:
    if route.for_anyone:
        if (request.claims or {}).get("custom:role") == MACHINE:
            raise problems.forbidden("A machine belongs to one organization and joins no other.")
        if route.method != "GET":
            writers.limit("", user.id)
        return Caller("", user.id, "")
    return writers.identify(route, request.claims, now)
