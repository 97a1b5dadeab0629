"""Say who lacks which training that their roles need."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from compliance.access import procedures, training
from compliance.access.models import Curriculum, ProcedureVersion, RoleAssignment, Training, User


@dataclass(frozen=True)
class Need:
    """One procedure that a person's roles need, and the training that counts, if any."""

    person: User
    version: ProcedureVersion
    roles: tuple[str, ...]
    training: Training | None

    @property
    def is_met(self) -> bool:
        return self.training is not None


def matrix(people: Iterable[User], *, at: datetime) -> list[Need]:
    """Return what each of these people needs at a moment; four questions, however many they are."""
    wanted = list(people)
    versions = {one.procedure_id: one for one in procedures.effective(at=at)}
    by_role: dict[str, set[int]] = defaultdict(set)
    for role, procedure in Curriculum.objects.filter(ended_at=None).values_list(
        "role", "procedure_id"
    ):
        by_role[role].add(procedure)
    roles: dict[int, set[str]] = defaultdict(set)
    for holder, role in RoleAssignment.objects.filter(
        ended_at=None, user__in=[one.pk for one in wanted]
    ).values_list("user_id", "role"):
        roles[holder].add(role)
    current = {
        (one.person_id, one.procedure_version_id): one
        for one in training.counting(at=at).filter(person__in=[one.pk for one in wanted])
    }
    return [
        Need(
            person,
            versions[procedure],
            tuple(sorted(role for role in roles[person.pk] if procedure in by_role[role])),
            current.get((person.pk, versions[procedure].pk)),
        )
        for person in wanted
        for procedure in sorted(
            set().union(*(by_role[role] for role in roles[person.pk])) & set(versions),
            key=lambda pk: versions[pk].procedure.code,
        )
    ]


def overdue(*, at: datetime) -> list[Need]:
    """Return what active people lack, by name: the list that somebody works off."""
    active = User.objects.filter(is_active=True).order_by("username")
    return [one for one in matrix(active, at=at) if not one.is_met]
