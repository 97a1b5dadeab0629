"""Every kind of damage is refused, with its verdict at its place and no other entry accused."""

from dataclasses import replace

import pytest

from compliance.trail import bundles
from compliance.trail.verifier import verification, writing
from compliance.trail.verifier.contents import Completeness, Kind, Subject
from compliance.trail.verifier.findings import Exit, Verdict
from compliance.trail.verifier.trust import Trust
from tests import damage, synthetic_log

NAMES = sorted(damage.DAMAGES)


@pytest.mark.parametrize("round_", range(2))
@pytest.mark.parametrize("name", NAMES)
def test_no_damage_verifies(name: str, round_: int) -> None:
    case = damage.damaged(NAMES.index(name) + round_ * len(NAMES))

    result = case.verify()

    assert result.exit is not Exit.GOOD
    assert case.expected in {one.verdict for one in result.problems}, case.description


@pytest.mark.requirement("P11-30", "P11-a1")
def test_a_bit_in_one_body_accuses_this_entry_and_no_other() -> None:
    made = damage.scene(11, kind=Kind.PERIOD)
    entry = made.contents.entries[len(made.contents.entries) // 2]
    body = bytes([*entry.body[:-9], entry.body[-9] ^ 1, *entry.body[-8:]])
    changed = damage.replaced(made.contents, entry, body=body)

    result = verification.verify(writing.files(changed), trust=Trust.read(made.trust))

    bad = {index: verdict for index, verdict in result.entries.items()
           if verdict not in (Verdict.VALID, Verdict.REDACTED_AUTHORISED)}  # fmt: skip
    assert bad == {entry.index: Verdict.TAMPERED}


def test_two_neighbours_exchanged_are_both_named_as_reordered() -> None:
    made = damage.scene(12, kind=Kind.PERIOD)
    one, other = made.contents.entries[:2]
    swapped = damage.replaced(made.contents, one, body=other.body, digest=other.digest)
    swapped = damage.replaced(swapped, other, body=one.body, digest=one.digest)

    result = verification.verify(writing.files(swapped), trust=Trust.read(made.trust))

    assert result.entries[one.index] is Verdict.REORDERED
    assert result.entries[other.index] is Verdict.REORDERED


def test_every_single_entry_of_a_claimed_record_is_missed_when_left_out() -> None:
    made = damage.scene(13, kind=Kind.BATCH)
    claimed = set(made.contents.subject.records)
    trust = Trust.read(made.trust)

    for entry in made.contents.entries:
        if damage.record_of(entry) in claimed:
            seal = made.contents.completeness.seal or 0
            contents = damage.without(made.contents, entry.index)
            result = verification.verify(writing.files(contents), trust=trust)

            missing = [one for one in result.problems if one.verdict is Verdict.MISSING]
            last = max(one.index for one in made.contents.entries
                       if damage.record_of(one) == damage.record_of(entry))  # fmt: skip
            # What no seal covers yet and nothing follows is the honest limit, and said.
            assert missing or (entry.index == last and entry.index >= seal)


def test_a_whole_life_before_a_re_insert_cannot_be_left_out() -> None:
    log = synthetic_log.SyntheticLog(seed=2, has_second_key=False)
    log.insert("batches", "1", state="planned")
    log.update("batches", "1", state="rejected")
    log.delete("batches", "1")
    log.insert("batches", "1", state="planned")
    log.seal()
    log.checkpoint()
    about = Subject(kind=Kind.RECORD, title="x", records=(("batches", "1"),))
    contents = bundles.gather(log, about, created_at=log.now)
    trust = Trust.read([("policy", log.policy)])

    whole = verification.verify(writing.files(contents), trust=trust)
    cut = verification.verify(writing.files(damage.without(contents, 0, 1, 2)), trust=trust)

    assert whole.exit is Exit.GOOD
    assert [one.verdict for one in cut.problems] == [Verdict.MISSING]


def test_an_absent_record_is_shown_to_be_absent() -> None:
    made = damage.scene(14, kind=Kind.BATCH)
    absent = ("batches", "9999")

    result = verification.verify(writing.files(made.contents), trust=Trust.read(made.trust))

    assert absent in made.contents.subject.records
    assert result.exit is Exit.GOOD


def test_a_problem_names_file_entry_and_record() -> None:
    made = damage.scene(15, kind=Kind.BATCH)
    contents = replace(made.contents, completeness=Completeness())

    result = verification.verify(writing.files(contents), trust=Trust.read(made.trust))

    places = {one.place for one in result.problems}
    assert all("completeness.json, " in one for one in places)
    assert any("people" in one for one in places)
