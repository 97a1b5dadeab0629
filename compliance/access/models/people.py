"""People, and the roles they hold from one moment to another."""

from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from compliance.access import look_alikes
from compliance.access.duties import DUTIES, LABELS, Duty, Role
from compliance.trail.capture import controlled
from compliance.trail.recording import Identity


class UserManager(BaseUserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> "User":
        """Find a person whatever the case typed: identities are unique case-folded."""
        return self.get(username__iexact=username)


@controlled(
    digest_only=("password",), redactable=("email",), guards=("identity_fixed", "password_own")
)
class User(AbstractBaseUser):
    """A person. Never deleted, never renamed to somebody else (21 CFR 11.100(a))."""

    last_login = None  # sign-ins are records of their own: SignIn
    username = models.CharField(max_length=60, unique=True)
    full_name = models.CharField(max_length=200, help_text="As printed with a signature.")
    email = models.EmailField(blank=True)
    is_active = models.BooleanField(default=True)
    must_change_password = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    leaves_on = models.DateField(
        null=True, blank=True, help_text="Last day at work; after it the account must be inactive."
    )

    objects = UserManager()

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS = ["full_name"]

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("username"), name="username_unique_whatever_case"),
            models.CheckConstraint(
                name="username_is_plain", condition=Q(username__regex=r"^[A-Za-z0-9._-]+$")
            ),
            # What looks the same is the same: nobody signs under a name that reads as another's.
            models.UniqueConstraint(
                look_alikes.skeleton("username"), name="username_unlike_all_others"
            ),
            models.UniqueConstraint(
                look_alikes.skeleton("full_name"), name="full_name_unlike_all_others"
            ),
            models.CheckConstraint(name="full_name_present", condition=~Q(full_name="")),
            models.CheckConstraint(
                name="full_name_in_single_spaces", condition=Q(full_name__regex=r"^\S+( \S+)*$")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.full_name} ({self.username})"

    @property
    def roles(self) -> frozenset[str]:
        """The roles held now; read once for each request's copy of the person."""
        if not hasattr(self, "_roles"):
            held = self.role_assignments.filter(ended_at=None)
            self._roles = frozenset(held.values_list("role", flat=True))
        return self._roles

    @property
    def role_names(self) -> str:
        return ", ".join(LABELS[Role(role)] for role in sorted(self.roles)) or "no role"

    @property
    def duties(self) -> frozenset[Duty]:
        if not self.is_active:
            return frozenset()
        return frozenset().union(*(DUTIES[role] for role in self.roles))

    def trail_identity(self) -> Identity:
        return Identity(
            id=f"user:{self.pk}", name=self.username, role=",".join(sorted(self.roles)) or "none"
        )

    # --- What Django's admin asks. There is no superuser.

    @property
    def is_staff(self) -> bool:
        return self.is_active and bool(self.roles)

    def has_perm(self, perm: str, obj: object = None) -> bool:
        """Give everybody with a role a view; what changes anything asks for a duty instead."""
        if perm == "trail.open_protected":  # values that the trail shows as protected
            return Duty.READ_PERSONAL_DATA in self.duties
        return self.is_staff and perm.rpartition(".")[2].startswith("view_")

    def has_perms(self, perm_list: Any, obj: object = None) -> bool:
        return all(self.has_perm(perm, obj) for perm in perm_list)

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_staff

    def check_password(self, raw_password: str | None) -> bool:
        """Check without Django's silent re-hash, which would change the record outside an act."""
        from django.contrib.auth.hashers import check_password

        return check_password(raw_password, self.password)


@controlled(guards=("keep_duties_apart", "keep_as_recorded", "not_by_oneself"))
class RoleAssignment(models.Model):
    """One person holds one role from one moment to another. A trigger keeps duties apart."""

    user = models.ForeignKey(User, models.PROTECT, related_name="role_assignments")
    role = models.CharField(max_length=30, choices=[(role.value, LABELS[role]) for role in Role])
    granted_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "role"], condition=Q(ended_at=None), name="role_held_once"
            ),
            models.CheckConstraint(
                name="role_known", condition=Q(role__in=[role.value for role in Role])
            ),
            models.CheckConstraint(
                name="role_ends_after_grant",
                condition=Q(ended_at=None) | Q(ended_at__gte=F("granted_at")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user.username}: {LABELS[Role(self.role)]} ({self.pk})"
