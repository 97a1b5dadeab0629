"""SG-10: look for runs of failed sign-ins and signings that nobody followed up (21 CFR 11.300(d))."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta

from django.db.models import Q

from compliance.access.actions import Action
from compliance.access.models import SignIn, SignInOutcome, User
from compliance.inspection import entries, outcomes, wording
from compliance.inspection.outcomes import Evidence, Fact, Outcome
from compliance.inspection.registry import CHECKS, Parameters
from compliance.inspection.snapshots import Snapshot
from compliance.quality.models import Deviation

_FAILED = frozenset({SignInOutcome.WRONG, SignInOutcome.LOCKED})


@CHECKS.register("SG-10")
def check(snapshot: Snapshot, parameters: Parameters) -> Outcome:
    """Report accounts with many failures in a short time and no deviation or action after them."""
    since = snapshot.as_of - timedelta(days=int(str(parameters["within_days"])))
    attempts: dict[str, list[SignIn]] = defaultdict(list)
    for attempt in SignIn.objects.filter(
        attempted_at__gt=since, attempted_at__lte=snapshot.as_of
    ).order_by("attempted_at", "pk"):
        attempts[attempt.username.casefold()].append(attempt)
    if not attempts:
        return outcomes.not_applicable("No attempt to sign in is on record in the period.")
    least = int(str(parameters["failures"]))
    within = timedelta(minutes=int(str(parameters["within_minutes"])))
    facts = []
    for username, found in sorted(attempts.items()):
        run = _longest_run(found, within)
        if len(run) >= least and not _followed_up(snapshot, username, run):
            facts.append(_fact(username, run))
    return outcomes.judged(facts, examined=len(attempts), failing=len(facts))


def _longest_run(found: Sequence[SignIn], within: timedelta) -> list[SignIn]:
    """Return the longest series of failures, one after the other, that began within a time."""
    longest: list[SignIn] = []
    run: list[SignIn] = []
    for attempt in found:
        if attempt.outcome == SignInOutcome.SIGNED_OUT:
            continue
        if attempt.outcome not in _FAILED:
            run = []
            continue
        run = [one for one in run if attempt.attempted_at - one.attempted_at <= within]
        run.append(attempt)
        if len(run) > len(longest):
            longest = list(run)
    return longest


def _followed_up(snapshot: Snapshot, username: str, run: Sequence[SignIn]) -> bool:
    after = run[0].attempted_at
    if Deviation.objects.filter(
        Q(title__icontains=username) | Q(description__icontains=username), opened_at__gte=after
    ).exists():
        return True
    person = User.objects.filter(username__iexact=username).first()
    if person is None:
        return False
    answers = {Action.PASSWORD_CHANGED.value, Action.PERSON_DEACTIVATED.value}
    return any(
        entry.action in answers and "system-administrator" in entry.role.split(",")
        for entry in entries.of_records(snapshot, "access_user", [str(person.pk)], after=after)
    )


def _fact(username: str, run: Sequence[SignIn]) -> Fact:
    signings = sum(attempt.purpose == "signature" for attempt in run)
    addresses = sorted({attempt.address for attempt in run if attempt.address})
    known = User.objects.filter(username__iexact=username).exists()
    text = (
        f"{wording.count(len(run), 'attempt')} in the name of “{username}”"
        f"{'' if known else ', which is no account of the system,'} failed between "
        f"{wording.moment(run[0].attempted_at)} and {wording.moment(run[-1].attempted_at)}"
        f"{f', {signings} of them to sign' if signings else ''}"
        f"{f', from {wording.listed(addresses)}' if addresses else ''}; no deviation names the "
        "account and no administrator acted on it afterwards."
    )
    return Fact(
        text,
        evidence=tuple(
            Evidence("access_signin", str(attempt.pk), {"outcome": attempt.outcome})
            for attempt in run
        ),
    )
