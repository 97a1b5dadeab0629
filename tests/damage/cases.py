"""Good bundles and what damages them: a log, one bundle of it, and the dice."""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from compliance.trail import bundles
from compliance.trail.verifier import container, manifests, verification, writing
from compliance.trail.verifier.contents import Contents, Entry, Kind, Signed, Subject
from compliance.trail.verifier.findings import Malformed, Unusable, Verdict
from compliance.trail.verifier.outcome import Result
from compliance.trail.verifier.trust import Trust
from tests import stamping, synthetic_log
from tests.synthetic_log import SyntheticLog

Named = tuple[str, bytes]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A bundle, what its inspector has, and what is wrong with it.

    `expected` is a verdict that must be among the problems; None for good bundles.
    `is_about_text` says that only a verifier which renders report and README can see it.
    """

    bundle: bytes
    trust: tuple[Named, ...]
    description: str
    expected: Verdict | None = None
    held: tuple[Named, ...] = ()
    is_about_text: bool = False

    def verify(self) -> Result:
        """Return what the verifier in Python says."""
        try:
            trust = Trust.read(self.trust)
            files = container.read(self.bundle)
        except (Malformed, Unusable) as error:
            return Result(problems=[error.problem])
        return verification.verify(files, trust=trust, held=self.held)


@dataclass
class Scene:
    """A log, one bundle of it, and the dice."""

    random: random.Random
    log: SyntheticLog
    contents: Contents
    trust: tuple[Named, ...] = field(default=())

    def __post_init__(self) -> None:
        self.trust = trust_of(self.log)

    def entry(self, *, of_records: bool = True) -> Entry:
        """Return one entry, of the claimed records only if wanted."""
        claimed = set(self.contents.subject.records)
        found = [
            one for one in self.contents.entries if not of_records or record_of(one) in claimed
        ]
        return self.random.choice(found)

    def case(self, contents: Contents, description: str, expected: Verdict, **more: Any) -> Case:
        return Case(
            bundle=writing.bundle(contents),
            trust=self.trust,
            description=description,
            expected=expected,
            **more,
        )


Damage = Callable[[Scene], Case]


DAMAGES: dict[str, Damage] = {}


def damage(function: Damage) -> Damage:
    DAMAGES[function.__name__.removeprefix("_")] = function
    return function


def trust_of(log: SyntheticLog) -> tuple[Named, ...]:
    return ("policy.txt", log.policy), ("tsa-root.pem", log.authority.root_pem)


def subject(dice: random.Random, log: SyntheticLog, kind: Kind | None = None) -> Subject:
    """Return something that a bundle can be about."""
    kind = kind or dice.choice(list(Kind))
    title = dice.choice(["Batch B-001 <Süßholz & Co.>", "Audit of March", "e.noether", "記録 7"])
    batch = dice.choice([one for one in log.last if one[0] == "batches"])
    person = "people", batch[1]
    if kind is Kind.RECORD:
        return Subject(kind=kind, title=title, records=(batch,))
    if kind is Kind.BATCH:
        absent = "batches", "9999"
        return Subject(kind=kind, title=title, records=tuple(sorted([batch, person, absent])))
    if kind is Kind.PERIOD:
        first = dice.randrange(log.newest() // 2)
        return Subject(kind=kind, title=title, range=(first, dice.randrange(first, log.newest())))
    return Subject(kind=kind, title=title, description="as asked for\non paper")


def gather(dice: random.Random, log: SyntheticLog, about: Subject) -> Contents:
    indices: list[int] = []
    if about.kind in {Kind.ACT, Kind.PERSON}:
        indices = dice.sample(range(log.newest()), k=min(5, log.newest()))
    return bundles.gather(
        log,
        about,
        created_at=log.now + timedelta(minutes=1),
        indices=indices,
        sizes=dice.sample(sorted(log.notes), k=2),
        policy=dice.choice([None, log.policy]),
        authorities=dice.choice([None, log.authority.middle_pem]),
    )


def scene(seed: int, *, kind: Kind | None = None, is_continued: bool = False) -> Scene:
    """Return a fresh scene of a seed."""
    dice = random.Random(seed)
    log = synthetic_log.busy(
        seed=seed, records=dice.randint(2, 5), rounds=dice.randint(2, 3),
        has_second_key=dice.random() < 0.5, is_continued=is_continued,
    )  # fmt: skip
    return Scene(dice, log, gather(dice, log, subject(dice, log, kind)))


def good(seed: int) -> Case:
    """Return a bundle in which nothing is wrong."""
    made = scene(seed, is_continued=seed % 4 == 0)
    held_size = made.random.choice(sorted(made.contents.checkpoints))
    return Case(
        bundle=writing.bundle(made.contents),
        trust=_as_key_file(made) if seed % 8 == 1 else made.trust,
        description=f"good: {made.contents.subject.kind}",
        held=((f"held-{held_size}.note", made.log.notes[held_size]),),
    )


def damaged(seed: int) -> Case:
    """Return a damaged bundle; the kinds of damage take turns."""
    names = sorted(DAMAGES)
    return DAMAGES[names[seed % len(names)]](scene(seed, kind=Kind.BATCH))


def _as_key_file(made: Scene) -> tuple[Named, ...]:
    """Return the same trust as keys in a file as people write them, without witnesses."""
    lines = ["# the plant", *(f"  {one.vkey} \r" for one in made.log.first_keys), "\t# its end"]
    return ("keys.txt", "\n".join(lines).encode()), *made.trust[1:]


def replaced(contents: Contents, entry: Entry, **values: Any) -> Contents:
    return replace(
        contents,
        entries=tuple(
            replace(one, **values) if one.index == entry.index else one for one in contents.entries
        ),
    )


def without(contents: Contents, *indices: int) -> Contents:
    kept = tuple(one for one in contents.entries if one.index not in indices)
    openings = tuple(one for one in contents.openings if one.index not in indices)
    return replace(contents, entries=kept, openings=openings)


def impostor() -> stamping.Authority:
    return _IMPOSTOR


_IMPOSTOR = stamping.Authority(name="Impostor")


def record_of(entry: Entry) -> tuple[str, str] | None:
    try:
        members = json.loads(entry.body)
    except ValueError:
        return None
    return members["record"], members["record_id"]


def sealed(made: Scene) -> dict[str, int]:
    body = made.log.rows[made.contents.completeness.seal or 0].body
    document = json.loads(json.loads(body)["new"]["document"])
    return {name: document[name] for name in ("tree_size", "buckets")}


def with_note(contents: Contents, size: int, text: bytes) -> Contents:
    signed = Signed(note=text, consistency=contents.checkpoints[size].consistency)
    timestamps = {one: stamp for one, stamp in contents.timestamps.items() if one != size}
    return replace(
        contents, checkpoints={**contents.checkpoints, size: signed}, timestamps=timestamps
    )


def with_token(contents: Contents, size: int, response: bytes) -> Contents:
    stamp = replace(contents.timestamps[size], response=response)
    return replace(contents, timestamps={**contents.timestamps, size: stamp})


def with_bucket(made: Scene, number: int, bucket: Any, description: str) -> Case:
    buckets = list(made.contents.completeness.buckets)
    buckets[number] = bucket
    completeness = replace(made.contents.completeness, buckets=tuple(buckets))
    changed = replace(made.contents, completeness=completeness)
    return made.case(changed, description, Verdict.TAMPERED)


def packed_again(made: Scene, files: dict[str, bytes], description: str, **more: Any) -> Case:
    named = {name: data for name, data in files.items() if name != manifests.NAME}
    named[manifests.NAME] = writing.manifest(made.contents, named)
    return Case(
        bundle=container.write(named),
        trust=made.trust,
        description=description,
        expected=Verdict.MALFORMED,
        **more,
    )


def cases(*, seed: int, good_ones: int, damaged_ones: int) -> Iterator[Case]:
    """Yield good cases, then damaged ones."""
    for number in range(good_ones):
        yield good(seed + number)
    for number in range(damaged_ones):
        yield damaged(seed + number)


def write(folder: Path, number: int, case: Case) -> None:
    """Write one case with what the verifier in Python says of it."""
    place = folder / f"{number:05}"
    place.mkdir(parents=True)
    (place / "bundle.zip").write_bytes(case.bundle)
    for name, data in case.trust:
        (place / f"trust-{name}").write_bytes(data)
    for name, data in case.held:
        (place / name).write_bytes(data)
    result = case.verify()
    answer = {
        "answer": json.loads(result.to_json()),
        "description": case.description,
        "expected": case.expected,
        "held": [name for name, _ in case.held],
        "is_about_text": case.is_about_text,
        "trust": [f"trust-{name}" for name, _ in case.trust],
    }
    (place / "case.json").write_text(json.dumps(answer, indent=1, ensure_ascii=False) + "\n")
