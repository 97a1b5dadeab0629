"""`manage.py administrator`: make the first administrator of a new installation."""

import secrets
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from compliance.access import people
from compliance.access.duties import Role
from compliance.access.models import User
from compliance.refusals import Refused
from compliance.trail.recording import System

INSTALLATION = System("installation")


class Command(BaseCommand):
    help = (
        "Make the first administrator, who makes everybody else. The password is drawn, printed "
        "once, and must be changed at the first sign-in."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("full_name", help="as printed, in quotation marks")

    def handle(self, *args: Any, **options: Any) -> None:
        held = User.objects.filter(
            is_active=True,
            role_assignments__role=Role.SYSTEM_ADMINISTRATOR,
            role_assignments__ended_at=None,
        )
        if first := held.order_by("pk").first():
            raise CommandError(
                f"{first.username} is an administrator already: others are made by administrators, "
                "in the admin under People, so that the trail says by whom"
            )
        password = secrets.token_urlsafe(12)
        try:
            made = people.create(
                username=options["username"],
                full_name=options["full_name"],
                password=password,
                roles=frozenset({Role.SYSTEM_ADMINISTRATOR}),
                actor=INSTALLATION,
                at=timezone.now(),
                reason="first administrator of the installation",
            )
        except Refused as refused:
            raise CommandError(str(refused)) from refused
        self.stdout.write(f"{made.username} {password}")
