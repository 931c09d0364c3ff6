"""Who founds, joins and leaves an organisation, and what members keep."""

from datetime import timedelta

import pytest

from services.organizations.service import INVITATION_LIFETIME, User
from services.shared.console import Item, Write
from services.shared.http.problems import ProblemError
from services.shared.membership import Membership
from tests.support.organizations import Acme

ZOE = User("zoe", "zoe@example.com")


@pytest.fixture
def acme() -> Acme:
    return Acme()


def refused(error: pytest.ExceptionInfo[ProblemError]) -> str:
    return error.value.problem_type.name


# --- founding and choosing


def test_a_founder_is_the_admin_of_a_new_organization_and_in_it(acme: Acme) -> None:
    founded = acme.organizations.found(ZOE, "Zoe's")

    memberships, chosen = acme.organizations.of_user("zoe")
    assert memberships == [founded]
    assert (founded.role, chosen) == ("admin", founded.tenant_id)
    assert [it.email for it in acme.organizations.members(founded.tenant_id)] == ["zoe@example.com"]


def test_nobody_chooses_an_organization_without_membership(acme: Acme) -> None:
    acme.organizations.choose("ann", "acme")
    with pytest.raises(ProblemError) as error:
        acme.organizations.choose("ann", "globex")

    assert refused(error) == "not-found"
    assert acme.organizations.of_user("ann")[1] == "acme"


# --- members


def test_a_role_is_changed_on_both_sides(acme: Acme) -> None:
    acme.organizations.set_role("acme", "vic", "editor")

    assert acme.roles() == {"ann": "admin", "ben": "editor", "vic": "editor"}


def test_a_removed_member_is_gone_on_both_sides(acme: Acme) -> None:
    acme.organizations.remove("acme", "ben")

    assert acme.roles() == {"ann": "admin", "vic": "viewer"}
    assert acme.organizations.of_user("ben")[0] == []


def test_an_organization_keeps_an_admin(acme: Acme) -> None:
    for change in (
        lambda: acme.organizations.remove("acme", "ann"),
        lambda: acme.organizations.set_role("acme", "ann", "editor"),
    ):
        with pytest.raises(ProblemError) as error:
            change()
        assert refused(error) == "wrong-state"

    acme.organizations.set_role("acme", "ann", "admin")
    assert acme.roles()["ann"] == "admin"


def test_two_admins_who_remove_each_other_at_once_do_not_both_succeed(acme: Acme) -> None:
    acme.organizations.set_role("acme", "ben", "admin")
    write, interrupted = acme.console.write, list[bool]()

    def interrupting(*writes: Write) -> bool:
        if not interrupted:
            interrupted.append(True)
            acme.organizations.remove("acme", "ann")
        return write(*writes)

    acme.console.write = interrupting  # type: ignore[method-assign]  # another admin acts in between
    with pytest.raises(ProblemError) as error:
        acme.organizations.remove("acme", "ben")

    assert refused(error) == "wrong-state"
    assert acme.roles() == {"ben": "admin", "vic": "viewer"}


def test_a_member_of_another_organization_cannot_be_changed(acme: Acme) -> None:
    other = acme.organizations.found(ZOE, "Zoe's")

    with pytest.raises(ProblemError) as error:
        acme.organizations.set_role(other.tenant_id, "ann", "viewer")

    assert refused(error) == "not-found"
    assert acme.roles()["ann"] == "admin"


# --- invitations


def test_who_was_invited_joins_with_the_role_of_the_invitation(acme: Acme) -> None:
    invitation = acme.organizations.invite("acme", "Zoe@Example.com", "editor", "ann")

    joined = acme.organizations.accept(ZOE, invitation.token)

    assert joined == Membership("acme", "zoe", "editor", "Acme")
    assert acme.roles()["zoe"] == "editor"
    assert acme.organizations.invitations("acme") == []


def test_an_invitation_is_accepted_once(acme: Acme) -> None:
    invitation = acme.organizations.invite("acme", "zoe@example.com", "editor", "ann")
    acme.organizations.accept(ZOE, invitation.token)

    with pytest.raises(ProblemError) as error:
        acme.organizations.accept(User("zoe-2", "zoe@example.com"), invitation.token)

    assert refused(error) == "not-found"
    assert "zoe-2" not in acme.roles()


@pytest.mark.parametrize(
    "user",
    [User("eve", "eve@example.com"), User("zoe", None), User("zoe", "")],
    ids=["other", "none", "empty"],
)
def test_an_invitation_is_for_the_invited_address_only(acme: Acme, user: User) -> None:
    invitation = acme.organizations.invite("acme", "zoe@example.com", "admin", "ann")

    with pytest.raises(ProblemError) as error:
        acme.organizations.accept(user, invitation.token)

    assert refused(error) == "not-found"
    assert user.id not in acme.roles()


def test_an_invitation_expires(acme: Acme) -> None:
    invitation = acme.organizations.invite("acme", "zoe@example.com", "editor", "ann")
    acme.clock.advance(INVITATION_LIFETIME)

    with pytest.raises(ProblemError):
        acme.organizations.accept(ZOE, invitation.token)
    assert acme.organizations.invitations("acme") == []


def test_a_withdrawn_invitation_is_worth_nothing(acme: Acme) -> None:
    invitation = acme.organizations.invite("acme", "zoe@example.com", "editor", "ann")
    acme.organizations.withdraw("acme", invitation.id)

    with pytest.raises(ProblemError):
        acme.organizations.accept(ZOE, invitation.token)


def test_an_invitation_cannot_raise_the_role_of_a_member(acme: Acme) -> None:
    invitation = acme.organizations.invite("acme", "vic@example.com", "admin", "ann")

    with pytest.raises(ProblemError) as error:
        acme.organizations.accept(User("vic", "vic@example.com"), invitation.token)

    assert refused(error) == "wrong-state"
    assert acme.roles()["vic"] == "viewer"


def test_the_table_does_not_hold_the_token(acme: Acme) -> None:
    invitation = acme.organizations.invite("acme", "zoe@example.com", "editor", "ann")

    assert invitation.token not in str(acme.console.items)


# --- saved views

VIEW: Item = {"page": "orders", "name": "Big ones", "query": {"status": "CONFIRMED"}, "shared": False}


def member(user: str, role: str) -> Membership:
    return Membership("acme", user, role, "Acme")


def test_a_private_view_is_its_owner_s_alone(acme: Acme) -> None:
    saved = acme.organizations.save_view("acme", member("vic", "viewer"), VIEW)

    assert [it["id"] for it in acme.organizations.views("acme", "vic")] == [saved["id"]]
    assert acme.organizations.views("acme", "ann") == []
    with pytest.raises(ProblemError) as error:
        acme.organizations.delete_view("acme", member("ann", "admin"), saved["id"])
    assert refused(error) == "not-found"


def test_a_shared_view_is_everyone_s_to_read_and_its_owner_s_to_change(acme: Acme) -> None:
    saved = acme.organizations.save_view("acme", member("ben", "editor"), {**VIEW, "shared": True})

    assert len(acme.organizations.views("acme", "vic")) == 1
    with pytest.raises(ProblemError) as error:
        acme.organizations.save_view("acme", member("vic", "viewer"), VIEW, saved["id"])
    assert refused(error) == "forbidden"
    replaced = acme.organizations.save_view(
        "acme", member("ann", "admin"), {**VIEW, "name": "Bigger", "shared": True}, saved["id"]
    )
    assert (replaced["name"], replaced["owner"]) == ("Bigger", "ben")


def test_a_viewer_shares_nothing(acme: Acme) -> None:
    with pytest.raises(ProblemError) as error:
        acme.organizations.save_view("acme", member("vic", "viewer"), {**VIEW, "shared": True})

    assert refused(error) == "forbidden"


def test_a_view_of_another_organization_does_not_exist(acme: Acme) -> None:
    saved = acme.organizations.save_view("acme", member("ben", "editor"), {**VIEW, "shared": True})

    with pytest.raises(ProblemError) as error:
        acme.organizations.delete_view("globex", Membership("globex", "ben", "admin", "Globex"), saved["id"])

    assert refused(error) == "not-found"


# --- machines


def test_a_machine_is_a_user_with_scopes(acme: Acme) -> None:
    machine = acme.machines.create("acme", "shop", ["orders:write"], "ann")

    assert acme.users.secrets == {machine.client_id: machine.secret}
    (membership,) = acme.organizations.of_user(f"sub-of-{machine.client_id}")[0]
    assert (membership.role, membership.scopes) == ("machine", frozenset({"orders:write"}))
    assert machine.secret not in str(acme.console.items)
    assert [it["name"] for it in acme.machines.all("acme")] == ["shop"]


def test_a_deleted_machine_has_no_rights_and_no_user(acme: Acme) -> None:
    machine = acme.machines.create("acme", "shop", ["orders:write"], "ann")

    acme.machines.delete("acme", machine.client_id)

    assert acme.users.secrets == {}
    assert acme.organizations.of_user(f"sub-of-{machine.client_id}")[0] == []
    assert acme.machines.all("acme") == []


def test_nobody_deletes_the_machine_of_another_organization(acme: Acme) -> None:
    machine = acme.machines.create("acme", "shop", ["orders:write"], "ann")

    with pytest.raises(ProblemError) as error:
        acme.machines.delete("globex", machine.client_id)

    assert refused(error) == "not-found"
    assert acme.users.secrets


def test_time_passes_between_invitation_and_expiry(acme: Acme) -> None:
    invitation = acme.organizations.invite("acme", "zoe@example.com", "viewer", "ann")
    acme.clock.advance(INVITATION_LIFETIME - timedelta(seconds=1))

    assert acme.organizations.accept(ZOE, invitation.token).role == "viewer"
