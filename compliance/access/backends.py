"""Let Django's sign-in use our credentials check; permissions come from roles."""

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.http import HttpRequest
from django.utils import timezone

from compliance.access import credentials
from compliance.access.models import User


class RoleBackend(BaseBackend):
    """Sign-in by name and password. Permissions are answered by `User` from its roles."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None,
        password: str | None = None, **_: Any,
    ) -> User | None:  # fmt: skip
        if not username or password is None:
            return None
        try:
            return credentials.check(
                username=username,
                password=password,
                purpose="session",
                address=str(request.META.get("REMOTE_ADDR", "")) if request else "",
                at=timezone.now(),
            )
        except (credentials.CredentialsWrong, credentials.Locked):
            return None

    def get_user(self, user_id: int) -> User | None:
        return User.objects.filter(pk=user_id, is_active=True).first()
