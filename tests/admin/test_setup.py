"""Roles are exactly the table; setting up twice changes nothing; the owner's password is written once, for one."""

import stat

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command

from crm.common import staff as staff_service
from crm.common.errors import InvalidInput
from crm.common.models import User
from crm.common.staff import UnknownPermission
from crm.roles import ROLES
from customers.models import Segment
from tests.factories import UserFactory


def permissions() -> dict[str, set[str]]:
    return {
        group.name: {
            f"{p.content_type.app_label}.{p.codename}"
            for p in group.permissions.select_related("content_type")
        }
        for group in Group.objects.all()
    }


def test_setup_makes_roles_segments_and_an_owner_who_can_sign_in(shop, tmp_path, capsys):
    file = tmp_path / "secret" / "owner"

    call_command("setup", owner_password_file=file)

    password = file.read_text().strip()
    owner = User.objects.get(username="owner")
    assert permissions() == {role: set(names) for role, names in ROLES.items()}
    assert Segment.objects.filter(key="at-risk").exists()
    assert owner.check_password(password) and owner.is_staff and not owner.is_superuser
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert password not in capsys.readouterr().out


def test_setting_up_again_changes_nothing(shop, tmp_path):
    call_command("setup", owner_password_file=tmp_path / "first")
    before = (permissions(), Segment.objects.count(), list(User.objects.values_list("username", "password")))

    call_command("setup", owner_password_file=tmp_path / "second")

    after = (permissions(), Segment.objects.count(), list(User.objects.values_list("username", "password")))
    assert after == before
    assert not (tmp_path / "second").exists()


def test_a_role_changed_by_hand_is_put_right(shop):
    staff_service.apply_roles(ROLES)
    Group.objects.get(name="viewer").permissions.set(Group.objects.get(name="owner").permissions.all())

    staff_service.apply_roles(ROLES)

    assert permissions()["viewer"] == set(ROLES["viewer"])


def test_a_role_that_names_a_permission_nobody_has_is_refused(db):
    with pytest.raises(UnknownPermission):
        staff_service.apply_roles({"viewer": frozenset({"customers.fly_customer"})})

    assert Group.objects.count() == 0


def test_each_role_may_everything_the_one_below_may():
    assert ROLES["viewer"] < ROLES["agent"] < ROLES["marketer"] < ROLES["owner"]


def test_nobody_edits_facts():
    facts = ("refund", "consent", "message", "interaction", "customerltv", "ltvrun", "enrolment")
    verbs = {f"{verb}_{fact}" for verb in ("change", "delete") for fact in facts}
    given = {name.partition(".")[2] for names in ROLES.values() for name in names}

    assert given & verbs == {"change_message"}  # sending one of unknown fate again


@pytest.mark.parametrize(("language", "zone"), [("xx", "UTC"), ("ko", "Moon/Sea")])
def test_preferences_that_do_not_exist_are_refused(language, zone, db):
    user = UserFactory(language="en", time_zone="UTC")

    with pytest.raises(InvalidInput):
        staff_service.set_preferences(user=user, language=language, time_zone=zone)

    user.refresh_from_db()
    assert (user.language, user.time_zone) == ("en", "UTC")
