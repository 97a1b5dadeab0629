"""Note what the installation runs with, and have each change of it assessed."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from compliance import numbering
from compliance.access import authority
from compliance.access.duties import Duty
from compliance.configuration.actions import Action
from compliance.configuration.models import ChangedSetting, ChangeState, ConfigurationChange
from compliance.quality import changes as change_control
from compliance.refusals import Refused
from compliance.signatures import signing
from compliance.signatures.models import Meaning
from compliance.signatures.signing import Confirmed
from compliance.trail import recording
from compliance.trail.recording import System
from compliance.trail.tlog import canonical

INSTALLATION = System("installation")
ABSENT = ""


class ConfigurationAssessed(Refused):
    code = "configuration-change-assessed"


def in_force() -> dict[str, str]:
    """Return the settings as the record has them: the newest value of each name."""
    newest = ChangedSetting.objects.order_by("name", "-pk").distinct("name")
    return {one.name: one.after for one in newest if one.after != ABSENT}


def note(values: Mapping[str, str], *, process: str, at: datetime) -> ConfigurationChange | None:
    """Record what differs from the record; return None when nothing does.

    `values` are the settings by name as people may read them, without secrets. Two processes that
    start together find it once: the second waits for the first and then finds no difference.
    """
    found = {name: value for name, value in values.items() if value != ABSENT}
    if not _differences(in_force(), found):
        return None
    with transaction.atomic():
        # The number's lock makes a second process wait here until the first has committed.
        number = numbering.next_number(ConfigurationChange, prefix="CFG", at=at)
        known = in_force()
        differences = _differences(known, found)
        if not differences:
            return None
        reason = f"{len(differences)} settings as {process} found them when it started"
        with recording.recording(Action.CHANGE_FOUND, actor=INSTALLATION, at=at, reason=reason):
            change = ConfigurationChange.objects.create(
                number=number, found_at=at, found_by=process
            )
            ChangedSetting.objects.bulk_create(
                ChangedSetting(
                    change=change, name=name, before=known.get(name, ABSENT),
                    after=found.get(name, ABSENT),
                )
                for name in differences
            )  # fmt: skip
    return change


def _differences(known: Mapping[str, str], found: Mapping[str, str]) -> list[str]:
    names = sorted(known.keys() | found.keys())
    return [name for name in names if known.get(name) != found.get(name)]


def assess(
    change: ConfigurationChange, *, assessment: str, confirmed: Confirmed, change_number: str = ""
) -> ConfigurationChange:
    """Say by signature what a change means for the records, and which approved change it is.

    Raise `ConfigurationAssessed` the second time, and `ChangeNotApproved` for a number that
    change control has not approved.
    """
    actor, at = confirmed.signer, confirmed.at
    authority.demand(actor, Duty.APPROVE_CHANGE)
    text = recording.demand_reason(assessment)
    number = change_number.strip()
    if number:
        change_control.demand_approved(number)
    with recording.recording(Action.CHANGE_ASSESSED, actor=actor, at=at, reason=text):
        locked = ConfigurationChange.objects.select_for_update().get(pk=change.pk)
        if locked.state != ChangeState.FOUND:
            raise ConfigurationAssessed(f"{locked} is assessed already; its assessment stays")
        locked.assessment = text
        locked.change_number = number
        locked.save(update_fields=["assessment", "change_number"])
        locked.signature = signing.sign(locked, meaning=Meaning.REVIEWED, confirmed=confirmed)
        locked.state = ChangeState.ASSESSED
        locked.save(update_fields=["state", "signature"])
    return locked


@signing.signable(ConfigurationChange, meanings={Meaning.REVIEWED})
def content(change: ConfigurationChange) -> dict[str, canonical.Value]:
    """Everything that was found, and what was said of it."""
    return {
        "number": change.number,
        "found_at": change.found_at.isoformat(),
        "found_by": change.found_by,
        "settings": [[one.name, one.before, one.after] for one in change.settings.order_by("name")],
        "assessment": change.assessment,
        "change_number": change.change_number,
    }
