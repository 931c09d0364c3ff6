"""The bodies and parameters of organisations' routes, and their responses."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from services.shared.events import Identifier, Text
from services.shared.http.params import RequestParams
from services.shared.http.responses import ResponseModel

PersonRole = Literal["admin", "editor", "viewer"]
Scope = Literal["orders:read", "orders:write", "inventory:write", "events:write", "metrics:read"]
Email = Annotated[str, StringConstraints(pattern=r"^[^\s@]{1,64}@[^\s@]{1,189}$", max_length=254)]
_MOST_QUERY_VALUES = 50


class Body(BaseModel):
    """A body in JSON: a member that is unknown is an error."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True, defer_build=True
    )


class NewOrganization(Body):
    name: Text


class Choice(Body):
    tenant_id: Identifier


class RoleChange(Body):
    role: PersonRole


class NewInvitation(Body):
    email: Email
    role: PersonRole


class InvitationToken(Body):
    token: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,128}$")]


def _distinct(scopes: tuple[Scope, ...]) -> tuple[Scope, ...]:
    return tuple(sorted(set(scopes)))


class NewMachine(Body):
    name: Text
    scopes: Annotated[tuple[Scope, ...], AfterValidator(_distinct), Field(min_length=1, max_length=5)]


class ViewBody(Body):
    page: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z-]{0,31}$")]
    name: Text
    query: Annotated[dict[str, Text], Field(max_length=_MOST_QUERY_VALUES)]
    shared: bool = False


class UserParams(RequestParams):
    user_id: Annotated[Identifier, Field(alias="userId", description="The member's user id.")]


class InvitationParams(RequestParams):
    invitation_id: Annotated[Identifier, Field(alias="invitationId", description="The invitation's id.")]


class ViewParams(RequestParams):
    view_id: Annotated[Identifier, Field(alias="viewId", description="The view's id.")]


class MachineParams(RequestParams):
    client_id: Annotated[Identifier, Field(alias="clientId", description="The machine's client id.")]


# --- responses


class MembershipView(ResponseModel):
    tenant_id: str
    organization: str
    role: str


class Me(ResponseModel):
    user_id: str
    email: str | None
    current: Annotated[MembershipView | None, Field(description="What the next token will be for.")]
    memberships: list[MembershipView]


class MemberView(ResponseModel):
    user_id: str
    email: str
    role: str
    added_at: str


class Members(ResponseModel):
    members: list[MemberView]


class InvitationView(ResponseModel):
    id: str
    email: str
    role: str
    invited_by: str
    expires_at: Annotated[str, Field(json_schema_extra={"format": "date-time"})]


class Invitations(ResponseModel):
    invitations: list[InvitationView]


class CreatedInvitation(InvitationView):
    token: Annotated[str, Field(description="Shown once; whoever was invited accepts with it.")]


class SavedView(ResponseModel):
    id: str
    page: str
    name: str
    query: dict[str, Any]
    shared: bool
    owner: str


class SavedViews(ResponseModel):
    views: list[SavedView]


class MachineView(ResponseModel):
    client_id: str
    name: str
    scopes: list[str]
    created_at: str
    created_by: str


class MachineViews(ResponseModel):
    machines: list[MachineView]


class CreatedMachine(ResponseModel):
    client_id: str
    client_secret: Annotated[str, Field(description="Shown once; nobody can read it again.")]


class Done(ResponseModel):
    done: Literal[True] = True
