"""SG-07: ask whether access is reviewed in time, and whether people who left are shut out."""

from compliance.access import people, reviews
from compliance.access.models import User
from compliance.inspection import outcomes, wording
from compliance.inspection.outcomes import Evidence, Fact, Outcome
from compliance.inspection.registry import CHECKS, Parameters
from compliance.inspection.snapshots import Snapshot


@CHECKS.register("SG-07")
def check(snapshot: Snapshot, parameters: Parameters) -> Outcome:
    """Report a review of access that is overdue, and accounts that outlived a last day."""
    active = snapshot.rows(User).filter(is_active=True).count()
    if not active:
        return outcomes.not_applicable("Nobody has an account.")
    on = snapshot.as_of.date()
    facts = []
    if since := reviews.overdue(on=on):
        facts.append(
            Fact(
                f"The review of who has access was due on {since:%Y-%m-%d}; "
                f"{wording.count((on - since).days, 'day')} later, on {on:%Y-%m-%d}, it was not "
                "closed."
            )
        )
    left = list(people.leavers_still_active(on=on))
    facts += [
        Fact(
            f"The last day of {one.username} was {one.leaves_on:%Y-%m-%d}; the account was still "
            f"active on {on:%Y-%m-%d}.",
            evidence=(
                Evidence("access_user", str(one.pk), {"leaves_on": f"{one.leaves_on:%Y-%m-%d}"}),
            ),
            people=frozenset({one.username}),
        )
        for one in left
    ]
    # An overdue review concerns every account.
    failing = active if since else len(left)
    return outcomes.judged(facts, examined=active, failing=failing)
