"""The installation makes its first administrator, and no second one."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from compliance.access.models import User

pytestmark = pytest.mark.django_db


def test_the_first_administrator_gets_a_password_that_must_be_changed() -> None:
    said = StringIO()

    call_command("administrator", "a.root", "Alex Root", stdout=said)

    made = User.objects.get(username="a.root")
    assert said.getvalue().split()[0] == "a.root"
    assert made.check_password(said.getvalue().split()[1])
    assert (made.must_change_password, list(made.roles)) == (True, ["system-administrator"])


def test_a_second_one_is_made_by_an_administrator_only() -> None:
    call_command("administrator", "a.root", "Alex Root", stdout=StringIO())

    with pytest.raises(CommandError, match="an administrator already"):
        call_command("administrator", "b.other", "Blake Other", stdout=StringIO())

    assert not User.objects.filter(username="b.other").exists()


def test_a_name_that_cannot_be_is_refused_in_words() -> None:
    with pytest.raises(CommandError, match="no reader sees"):
        call_command("administrator", "a.root", "Alex\u200bRoot", stdout=StringIO())
