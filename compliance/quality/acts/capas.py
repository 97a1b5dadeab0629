"""Do what a form or a body asks of a CAPA: one domain call each."""

from compliance.access.acts import Occasion
from compliance.quality import capas
from compliance.quality.acts import found
from compliance.quality.capas import Plan
from compliance.quality.models import (
    Capa,
    CapaAction,
    CapaKind,
    CapaSource,
    Deviation,
    EffectivenessCheck,
)
from compliance.signatures.forms import confirmed
from compliance.trail.models import Attachment


def open_(occasion: Occasion) -> Capa:
    given = occasion.values
    plan = Plan(
        title=given["title"],
        problem=given["problem"],
        kind=CapaKind(given["kind"]),
        source=CapaSource(given["source"]),
        source_text=given.get("source_text", ""),
        owner=found.person(given["owner"]),
        due_on=given["due_on"],
        criterion=given["criterion"],
        check_due_on=given["check_due_on"],
        deviations=_deviations(given.get("deviations", "")),
        follows=found.capa(given.get("follows", "")),
    )
    return capas.open_(plan=plan, actor=occasion.actor, at=occasion.at)


def add_action(occasion: Occasion) -> CapaAction:
    given = occasion.values
    return capas.add_action(
        occasion.record,
        text=given["text"],
        owner=found.person(given["owner"]),
        due_on=given["due_on"],
        actor=occasion.actor,
        at=occasion.at,
    )


def approve(occasion: Occasion) -> Capa:
    return capas.approve(occasion.record, confirmed=confirmed(occasion))


def finish_action(occasion: Occasion) -> CapaAction:
    given = occasion.values
    return capas.finish_action(
        found.part(occasion.record.actions, given["action"]),
        evidence=given["evidence"],
        attachment=_attached(occasion),
        actor=occasion.actor,
        at=occasion.at,
    )


def postpone(occasion: Occasion) -> Capa:
    given = occasion.values
    return capas.postpone(
        occasion.record,
        due_on=given["due_on"],
        check_due_on=given["check_due_on"],
        reason=given["reason"],
        actor=occasion.actor,
        at=occasion.at,
    )


def implement(occasion: Occasion) -> Capa:
    return capas.implement(
        occasion.record, reason=occasion.values["reason"], actor=occasion.actor, at=occasion.at
    )


def check(occasion: Occasion) -> EffectivenessCheck:
    given = occasion.values
    return capas.check(
        occasion.record,
        is_effective=bool(given["is_effective"]),
        observed=given["observed"],
        actor=occasion.actor,
        at=occasion.at,
    )


def close(occasion: Occasion) -> Capa:
    return capas.close(
        occasion.record, confirmed=confirmed(occasion), reason=occasion.values["reason"]
    )


def cancel(occasion: Occasion) -> Capa:
    return capas.cancel(
        occasion.record, reason=occasion.values["reason"], actor=occasion.actor, at=occasion.at
    )


def _deviations(numbers: str | list[str]) -> list[Deviation]:
    """Read numbers as a list, or as a person types them: apart by commas or spaces."""
    names = numbers.replace(",", " ").split() if isinstance(numbers, str) else numbers
    return [one for name in names if (one := found.deviation(name)) is not None]


def _attached(occasion: Occasion) -> Attachment | None:
    """Return the stored file of a digest; files come in where the trail takes attachments."""
    digest = occasion.values.get("attachment", "")
    if not digest:
        return None
    kept = Attachment.objects.filter(sha256=digest).order_by("pk").first()
    if kept is None:
        raise found.NoSuchRecord(f"no file with the digest {digest} is stored")
    return kept
