"""A signature says whether it is genuine, and whether the record is still what was signed."""

from typing import Any

import psycopg
import pytest

from compliance.access.duties import Role
from compliance.quality import deviations
from compliance.quality.models import Deviation
from compliance.signatures import binding, contents, signing, verdicts
from compliance.signatures.models import Meaning, Signature
from compliance.signatures.verdicts import Standing
from tests import factories
from tests.factories import NOON


def signed(record: Deviation) -> Signature:
    signer = factories.person(Role.QUALITY_ASSURANCE)
    return signing.sign(record, meaning=Meaning.REVIEWED, confirmed=factories.confirmed(signer))


def investigated(record: Deviation) -> None:
    deviations.investigate(
        record, findings=factories.FINDINGS, actor=factories.person(Role.PROCESS_ENGINEER),
        at=NOON, reason="investigated at last",
    )  # fmt: skip


@pytest.mark.django_db
def test_a_signature_under_the_present_version_is_intact() -> None:
    verdict = signing.verify(signed(factories.deviation()))

    assert (verdict.standing, *verdict.reasons, *verdict.changed) == (Standing.INTACT,)


@pytest.mark.django_db
@pytest.mark.requirement("P11-70", "A11D-13")
def test_a_changed_record_is_unsigned_and_the_signature_says_what_changed() -> None:
    record = factories.deviation()
    signature = signed(record)

    investigated(record)

    verdict = signing.verify(signature)
    assert verdict.standing == Standing.SUPERSEDED
    assert set(verdict.changed) == {"root_cause_category", "root_cause", "impact", "conclusion"}
    assert "root cause category" in verdict.explanation
    assert [one.signature for one in verdicts.of_record(record)] == [signature]


@pytest.mark.django_db
def test_a_record_that_is_as_it_was_signed_again_counts_again() -> None:
    record = factories.deviation()
    signature = signed(record)
    investigated(record)
    deviations.investigate(
        record, findings=deviations.Findings("", "", "", ""),
        actor=factories.person(Role.PROCESS_ENGINEER), at=NOON, reason="findings withdrawn",
    )  # fmt: skip

    assert signing.verify(signature).standing == Standing.INTACT


def copied(superuser: psycopg.Connection[Any], signature: Signature, **changed: str) -> Signature:
    """Copy a row with every trigger switched off, as only a superuser can."""
    names = [field.column for field in Signature._meta.concrete_fields if not field.primary_key]
    values = [f"'{changed[name]}'" if name in changed else name for name in names]
    superuser.execute("SET session_replication_role = replica")
    superuser.execute("ALTER TABLE signatures_signature DISABLE TRIGGER ALL")
    row = superuser.execute(
        f"INSERT INTO signatures_signature ({', '.join(names)}) SELECT {', '.join(values)} "
        f"FROM signatures_signature WHERE id = {signature.pk} RETURNING id"
    ).fetchone()
    superuser.commit()
    assert row is not None
    return Signature.objects.get(pk=row[0])


@pytest.mark.requirement("P11-70")
def test_a_copy_under_another_record_is_not_genuine(fresh_log: Any, as_superuser: Any) -> None:
    signature, other = signed(factories.deviation()), factories.deviation()

    copy = copied(as_superuser, signature, record_id=str(other.pk), confirmation="1" * 32)

    verdict = signing.verify(copy)
    assert verdict.standing == Standing.COPIED
    assert list(verdict.reasons) == [
        "its fields do not belong together",
        "its digest is of another record",
        "the audit trail does not know it",
    ]
    assert not signing.is_current(copy, other)
    assert signing.verify(signature).standing == Standing.INTACT


@pytest.mark.requirement("P11-70")
def test_a_copy_with_every_digest_made_anew_is_not_in_the_trail(
    fresh_log: Any, as_superuser: Any
) -> None:
    signature, other = signed(factories.deviation()), factories.deviation()
    forged = Signature.objects.get(pk=signature.pk)
    forged.record_id, forged.confirmation = str(other.pk), "1" * 32
    forged.content_parts = contents.parts(other)
    forged.record_digest = contents.digest(other)
    field = Signature._meta.get_field("content_parts")

    copy = copied(
        as_superuser, signature, record_id=str(other.pk), confirmation="1" * 32,
        record_digest=forged.record_digest, binding=binding.of(forged),
        content_parts=field.get_prep_value(forged.content_parts),
    )  # fmt: skip

    verdict = signing.verify(copy)
    assert verdict.standing == Standing.COPIED
    assert list(verdict.reasons) == ["the audit trail does not know it"]


@pytest.mark.requirement("P11-70")
@pytest.mark.parametrize(
    "assignment",
    ["printed_name = 'Somebody Else'", "meaning = 'released'", "role = 'Qualified Person'",
     "signed_at = signed_at - interval '1 day'", "zone = 'Asia/Tokyo'", "comment = 'more'"],
)  # fmt: skip
def test_a_row_that_a_superuser_altered_is_not_genuine(
    fresh_log: Any, as_superuser: Any, assignment: str
) -> None:
    signature = signed(factories.deviation())
    as_superuser.execute("ALTER TABLE signatures_signature DISABLE TRIGGER ALL")
    as_superuser.execute(f"UPDATE signatures_signature SET {assignment}")
    as_superuser.commit()

    signature.refresh_from_db()
    assert "its fields do not belong together" in signing.verify(signature).reasons
