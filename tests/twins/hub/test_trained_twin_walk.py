"""The whole road of a trained batch twin: trained, registered, tested on sealed batches, signed.

A small made-up campaign: 30 normal batches and 6 whose feed was halved to train on, 20 others to test
on. The bad model learns from the same batches with shuffled labels.
"""

import csv
import io
import json
import random
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings as product
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from compliance.access.duties import Role
from compliance.access.models import User
from compliance.reports import kinds, layout, spelling
from compliance.trail.models import Entry, Refusal
from tests import factories
from tests.factories import PASSWORD
from tests.twins.models.batch_monitoring import campaign
from twins.hub import batch_models, life, protocols, qualification_report, versions
from twins.hub.models import (
    AnsweredBy,
    CustodyLook,
    ModelVersion,
    Qualification,
    RunOutcome,
    SealedTestSet,
    TestRun,
)
from twins.models.batch_monitoring.signals import LABORATORY_NAMES, ONLINE_NAMES
from twins.predictions import batch_replays

pytestmark = pytest.mark.django_db
COLUMNS = ("batch", "time_h", *ONLINE_NAMES, *LABORATORY_NAMES)
GOOD, BAD, SMUGGLED = "walk-batch@1", "shuffled-batch@1", "smuggled-batch@1"
ONSET_H = 40.0
CRITERIA = ["false_alarm_share at-most 0.2", "sensitivity at-least 0.65 site B", "skill above 0"]
Row = dict[str, object]


def _rows(name: object, seed: int, *, deviates: bool) -> list[Row]:
    time_h, found = campaign.columns(seed, campaign.feed_halved if deviates else None, steps=280)
    return [
        {"batch": name, "time_h": round(float(time_h[row]), 1)}
        | {
            one: "" if np.isnan(values[row]) else round(float(values[row]), 6)
            for one, values in found.items()
        }
        for row in range(len(time_h))
    ]


def _label(name: object, *, deviates: bool, site: str = "") -> Row:
    return {
        "batch": name, "kind": "sugar_feed" if deviates else "none",
        "onset_h": ONSET_H if deviates else "", "end_h": 60.0 if deviates else "",
        "t_P_dev5_h": 50.0 if deviates else "", "subgroup": site,
    }  # fmt: skip


def _written(path: Path, rows: list[Row], columns: tuple[str, ...] = COLUMNS) -> Path:
    with path.open("w", newline="") as handle:
        out = csv.DictWriter(handle, columns)
        out.writeheader()
        out.writerows(rows)
    return path


@dataclass(frozen=True)
class Campaign:
    """Files of batches, and the folder with the twins that were trained on them."""

    folder: Path

    def __getattr__(self, name: str) -> Path:
        return self.folder / f"{name}.csv"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Campaign]:
    """Train a good twin, one on shuffled labels, and one with a test batch smuggled in."""
    folder = tmp_path_factory.mktemp("campaign")
    files = Campaign(folder)
    train = [(f"T-{n}", n, n >= 30) for n in range(36)]
    test = [(f"B-{n}", 500 + n, n % 2 == 1) for n in range(20)]
    rows = [row for name, seed, bad in train for row in _rows(name, seed, deviates=bad)]
    labels = [_label(name, deviates=bad) for name, _, bad in train]
    columns = tuple(labels[0])
    _written(files.train, rows)
    _written(files.train_labels, labels, columns)
    shuffled = [bad for _, _, bad in train]
    random.Random(4).shuffle(shuffled)
    _written(
        files.shuffled_labels,
        [_label(name, deviates=bad) for (name, *_), bad in zip(train, shuffled, strict=True)],
        columns,
    )
    tested = {name: _rows(name, seed, deviates=bad) for name, seed, bad in test}
    _written(files.test, [row for batch in tested.values() for row in batch])
    _written(
        files.test_labels,
        [
            _label(name, deviates=bad, site="site A" if seed % 4 < 2 else "site B")
            for name, seed, bad in test
        ],
        columns,
    )
    wrong = [_label(f"B-{n}", deviates=n % 2 == 0, site="site A") for n in range(20)]
    _written(files.wrong_labels, wrong, columns)
    copied = [row | {"batch": "T-99"} for row in tested["B-4"]]
    _written(files.smuggled, rows + copied)
    _written(files.smuggled_labels, [*labels, _label("T-99", deviates=False)], columns)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(product, "VAR_DIR", folder)
        for label, data, meaning in (
            (GOOD, files.train, files.train_labels),
            (BAD, files.train, files.shuffled_labels),
            (SMUGGLED, files.smuggled, files.smuggled_labels),
        ):
            batch_replays.train_and_keep(data, meaning, None, label)
    yield files


@dataclass
class People:
    engineer: User
    trainer: User
    keeper: User
    quality: User


@pytest.fixture
def people(db: None) -> People:
    return People(
        factories.person(Role.PROCESS_ENGINEER),
        factories.person(Role.QC_ANALYST),
        factories.person(Role.QC_SUPERVISOR),
        factories.person(Role.QUALITY_ASSURANCE),
    )


Do = Callable[..., str]


@pytest.fixture
def do(made: Campaign, settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Do:
    """Run a step of `manage.py qualify` as a person who gives the password."""
    settings.VAR_DIR = tmp_path
    shutil.copytree(made.folder / "batch-models", tmp_path / "batch-models")

    def step(*words: object, by: User, **given: object) -> str:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
        out = io.StringIO()
        options = [
            word
            for name, value in given.items()
            for one in (value if isinstance(value, list) else [value])
            for word in (f"--{name.replace('_', '-')}", str(one))
        ]
        call_command("qualify", *map(str, words), *options, "--by", by.username, stdout=out)
        return out.getvalue()

    return step


@dataclass
class Road:
    """The steps with what they are usually told."""

    do: Do
    files: Campaign
    people: People

    def dossier(
        self,
        label: str = GOOD,
        data: str = "train",
        labels: str = "train_labels",
        repeat: str = "--no-repeat",
    ) -> str:
        return self.do(
            "dossier", repeat, by=self.people.engineer, model=label,
            data=getattr(self.files, data), labels=getattr(self.files, labels),
            subgroup=["site A", "site B"], limits="It was made for this test, and knows one fault.",
            training="Batches that a program made up.", trainer=self.people.trainer.username,
        )  # fmt: skip

    def seal(self) -> SealedTestSet:
        self.do(
            "seal", "--generated", by=self.people.keeper, name="autumn", data=self.files.test,
            labels=self.files.test_labels, provenance="Twenty batches that a program made up.",
            label_provenance="The program that made them says so.",
        )  # fmt: skip
        return SealedTestSet.objects.get()

    def draft(
        self, label: str = GOOD, criteria: list[str] | None = None, **more: object
    ) -> Qualification:
        self.do(
            "draft", by=self.people.engineer, model=label, test_set=SealedTestSet.objects.get(),
            criterion=criteria or CRITERIA, replaces="A limit on the feed, which finds half.", **more,
        )  # fmt: skip
        return Qualification.objects.latest("pk")

    def approve(self, qualification: Qualification) -> Qualification:
        return protocols.approve(
            qualification, confirmed=self.signed(self.people.quality), reason="as in the plan"
        )

    def run(self, qualification: Qualification, labels: str = "test_labels") -> TestRun:
        self.do(
            "run", qualification, by=self.people.keeper, data=self.files.test,
            labels=getattr(self.files, labels), why="the test of the protocol",
        )  # fmt: skip
        return TestRun.objects.get(qualification=qualification)

    def signed(self, person: User) -> Any:
        return factories.confirmed(person, at=timezone.now())


@pytest.fixture
def road(do: Do, made: Campaign, people: People) -> Road:
    return Road(do, made, people)


def _pdf(qualification: Qualification, tmp_path: Path) -> str:
    """Return the text of the report as it is drawn."""
    facts = kinds.Facts("RPT-1", 1, "q.one", "Site", timezone.now())
    document = kinds.by_name(qualification_report.KIND).write(qualification.number, facts)
    path = tmp_path / "drawn.pdf"
    path.write_bytes(layout.draw(spelling.spelled(document)))
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not on this machine")
    done = subprocess.run(
        ["pdftotext", "-layout", path, "-"], capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.mark.requirement("A22-2", "A22-4", "A22-6", "A22-7")
def test_a_trained_twin_goes_the_whole_road_from_files_to_retirement(
    road: Road, tmp_path: Path
) -> None:
    assert "names 36 batches" in road.dossier()
    test_set = road.seal()
    qualification = road.approve(road.draft())

    run = road.run(qualification)

    assert run.outcome == RunOutcome.PASSED
    assert run.answered_by == AnsweredBy.VERSION
    assert test_set.coverage == [["site A", 10, 5], ["site B", 10, 5]]
    out = tmp_path / "out.csv"
    batch_replays.predict(road.files.test, GOOD, out)
    with out.open(newline="") as handle:
        said = list(csv.DictReader(handle))
    for batch in test_set.batches.all():
        alarms = [one for one in said if one["batch"] == batch.label and one["alarm"] == "1"]
        first = float(alarms[0]["time_h"]) if alarms else None
        found = run.answers[batch.content_digest]["first_alarm_h"]
        assert found == (None if first is None else str(first))
    version = life.qualify(
        qualification.version, confirmed=road.signed(road.people.quality), reason="it has passed"
    )
    text = _pdf(qualification, tmp_path)
    for shown in (
        "first look", "3 of 3 met", "site B", "Clopper", "It was made for this test",
        test_set.labels_digest[:30], "sensitivity".capitalize(), road.people.keeper.full_name,
        "Fisher", "trained on", "asked by the installation itself", version.code_digest[:30],
    ):  # fmt: skip
        assert shown in text
    retired = life.retire(
        version, confirmed=road.signed(road.people.quality), reason="its successor is qualified"
    )
    with pytest.raises(versions.VersionRetired):
        batch_replays.predict(road.files.test, GOOD, out)
    assert retired.retired_at is not None


@pytest.mark.requirement("A22-4", "A22-7")
def test_a_twin_that_learnt_from_shuffled_labels_is_refused_for_lack_of_skill(
    road: Road, tmp_path: Path
) -> None:
    road.dossier(BAD, labels="shuffled_labels")
    road.seal()
    qualification = road.approve(road.draft(BAD))

    run = road.run(qualification)

    assert run.outcome == RunOutcome.WITHOUT_SKILL
    with pytest.raises(life.ModelWithoutSkill) as refused:
        life.qualify(
            qualification.version,
            confirmed=road.signed(road.people.quality),
            reason="it is wanted soon",
        )
    assert refused.value.code == "model-without-skill"
    text = _pdf(qualification, tmp_path)
    for shown in ("without skill", "NOT MET", "has no skill", str(run.deviation)):
        assert shown in text


@pytest.mark.requirement("A22-6")
def test_a_test_batch_smuggled_into_the_training_is_caught(road: Road) -> None:
    road.dossier(SMUGGLED, "smuggled", "smuggled_labels")
    test_set = road.seal()

    with pytest.raises(CommandError, match=r"test-set-not-independent: .*B-4"):
        road.draft(SMUGGLED)

    assert Refusal.objects.using("outside").get(subject=test_set.number).code == (
        "test-set-not-independent"
    )
    assert not CustodyLook.objects.exists()


@pytest.mark.requirement("A22-6")
def test_the_list_of_training_batches_is_that_of_the_file_and_no_shorter(
    road: Road, client: Client
) -> None:
    with pytest.raises(CommandError, match="training-not-as-declared"):
        road.dossier(SMUGGLED)  # other files than it was trained on

    version = ModelVersion.objects.get(name=SMUGGLED)
    client.force_login(road.people.engineer)
    answer = client.post(
        f"/api/v1/model-versions/{version.pk}/dossier",
        {
            "subgroups": ["all"], "limits": "It was made for this test.", "password": PASSWORD,
            "training": "Batches that a program made up.",
            "trainers": [road.people.trainer.username],
            "batches": [{"name": "T-1", "rows": [{"time_h": "0.2", "Fs": "8"}]}],
        },
        content_type="application/json",
    )  # fmt: skip
    assert answer.status_code == 422
    assert answer.json()["type"].endswith("/training-not-as-declared")


@pytest.mark.requirement("A22-6")
def test_an_author_who_forges_the_list_is_caught_by_training_again(
    road: Road, tmp_path: Path
) -> None:
    """The file says that it was trained on honest files; its numbers say otherwise."""
    folder = tmp_path / "batch-models"
    smuggled = json.loads((folder / f"{SMUGGLED}.json").read_text())["dossier"]
    honest = json.loads((folder / f"{GOOD}.json").read_text())["dossier"]
    text = (folder / f"{SMUGGLED}.json").read_text()
    said, forged = (json.dumps(one, indent=1, sort_keys=True) for one in (smuggled, honest))
    assert said in text
    (folder / "forged-batch@1.json").write_text(text.replace(said, forged))

    with pytest.raises(CommandError, match=r"training-not-as-declared: .*other numbers"):
        road.dossier("forged-batch@1", "train", "train_labels", "--repeat")

    road.dossier(GOOD, "train", "train_labels", "--repeat")
    assert ModelVersion.objects.get(name=GOOD).dossier.is_training_repeated


@pytest.mark.requirement("A22-6")
def test_a_test_batch_with_altered_digits_is_caught_when_the_set_is_opened(
    road: Road, made: Campaign, tmp_path: Path
) -> None:
    """The copy has another digest: it is found by its means, before anything is scored."""
    road.dossier()
    with made.train.open(newline="") as handle:
        copy = [row for row in csv.DictReader(handle) if row["batch"] == "T-7"]
    for row in copy:
        row["batch"], row["pH"] = "B-99", f"{float(row['pH']) + 0.00001:.5f}"
    with made.test.open(newline="") as handle:
        rows = [*csv.DictReader(handle), *copy[1:]]
    _written(tmp_path / "test.csv", rows)  # type: ignore[arg-type]
    labels = made.test_labels.read_text() + "B-99,none,,,,site A\n"
    (tmp_path / "test_labels.csv").write_text(labels)
    altered = Road(road.do, Campaign(tmp_path), road.people)
    altered.seal()
    qualification = road.approve(road.draft())

    with pytest.raises(CommandError, match=r"test-set-not-independent: .*B-99 is T-7"):
        altered.run(qualification)

    assert not CustodyLook.objects.exists()


@pytest.mark.requirement("A22-6")
def test_the_second_look_is_in_the_pdf_and_on_the_page_and_refused_ones_are_kept(
    road: Road, tmp_path: Path, client: Client
) -> None:
    road.dossier()
    test_set = road.seal()
    first = road.draft(
        criteria=["sensitivity at-least 1", "lead_time_h at-least 40", "skill above 0"]
    )
    with pytest.raises(CommandError, match="criteria-not-signed"):
        road.run(first)
    road.approve(first)
    with pytest.raises(CommandError, match="labels-not-sealed"):
        road.run(first, labels="wrong_labels")
    assert road.run(first).outcome == RunOutcome.FAILED
    with pytest.raises(CommandError, match="qualification-state"):
        road.run(first)
    second = road.approve(road.draft(criteria=["skill above 0"]))

    run = road.run(second)

    assert (run.outcome, run.is_second_look, run.look.number) == ("passed", True, 2)
    text = _pdf(second, tmp_path)
    for shown in ("second look", "look 2 into this set", first.number):
        assert shown in text
    client.force_login(road.people.quality)
    page = client.get(f"/admin/hub/qualification/{second.pk}/change/").content.decode()
    assert "Second look" in page
    page = client.get(f"/admin/hub/sealedtestset/{test_set.pk}/change/").content.decode()
    assert first.number in page
    assert second.number in page
    codes = [one.code for one in Refusal.objects.using("outside").filter(subject=test_set.number)]
    assert codes == ["criteria-not-signed", "labels-not-sealed", "qualification-state"]


@pytest.mark.requirement("A22-6")
def test_nobody_answers_for_a_trained_twin_and_its_labels_are_kept_nowhere(
    road: Road, client: Client
) -> None:
    road.dossier()
    test_set = road.seal()
    qualification = road.approve(road.draft())
    client.force_login(road.people.keeper)
    path = f"/api/v1/model-qualifications/{qualification.number}/run"
    perfect = {
        "why": "the test of the protocol", "password": PASSWORD, "labels": [],
        "answers": [
            {"batch": one.content_digest, "first_alarm_h": "41.0"} for one in test_set.batches.all()
        ],
    }  # fmt: skip

    refused = client.post(path, perfect, content_type="application/json")

    assert refused.json()["type"].endswith("/answers-incomplete")
    run = road.run(qualification)
    whole = "\n".join(Entry.objects.exclude(body=None).values_list("body", flat=True))
    stored = json.dumps([run.answers, run.scores, run.verdicts, test_set.coverage])
    assert test_set.labels_digest in whole
    for trace in ("onset_h", "harm_h"):
        assert trace not in whole
        assert trace not in stored


def test_a_set_is_sealed_and_a_twin_is_run_over_the_api_line_by_line(
    road: Road, client: Client, people: People
) -> None:
    road.dossier()
    batches, truths = _lined(road.files)
    client.force_login(people.keeper)
    head = {
        "name": "autumn", "provenance": "Twenty batches that a program made up.",
        "label_provenance": "The program that made them says so.", "is_generated": True,
        "exclusions": [], "password": PASSWORD,
        "batches": [{"name": name, "truth": truths[name]} for name in batches],
    }  # fmt: skip
    sealed = _post_lines(client, "test-sets", head, batches)
    assert [one["label"] for one in sealed["batches"]] == list(batches)
    qualification = road.approve(road.draft())
    digests = {one["label"]: one["content_digest"] for one in sealed["batches"]}

    client.force_login(people.keeper)
    run = _post_lines(client, f"model-qualifications/{qualification.number}/run", {
        "why": "the test of the protocol", "password": PASSWORD,
        "labels": [{"batch": digests[name], **truth} for name, truth in truths.items()],
        "batches": [{"name": name} for name in batches],
    }, batches)  # fmt: skip

    assert (run["outcome"], run["answered_by"]) == ("passed", "version")
    by_file = {one["batch"] for one in _read(road.files.test)}
    assert by_file == set(digests)


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as handle:
        return list(csv.DictReader(handle))


def _lined(files: Campaign) -> tuple[dict[str, list[dict[str, str]]], dict[str, dict[str, Any]]]:
    batches: dict[str, list[dict[str, str]]] = {}
    for row in _read(files.test):
        kept = {name: value for name, value in row.items() if value != "" and name != "batch"}
        batches.setdefault(row["batch"], []).append(kept)
    truths = {
        one["batch"]: {
            "subgroup": one["subgroup"],
            "onset_h": one["onset_h"] or None,
            "harm_h": one["t_P_dev5_h"] or None,
        }
        for one in _read(files.test_labels)
    }
    return batches, truths


def _post_lines(
    client: Client, path: str, head: dict[str, Any], batches: dict[str, list[dict[str, str]]]
) -> Any:
    lines = [json.dumps(head)]
    lines += [json.dumps({"batch": name, "row": row}) for name in batches for row in batches[name]]
    answer = client.post(
        f"/api/v1/{path}", "\n".join(lines).encode(), content_type="application/x-ndjson"
    )
    assert answer.status_code == 201, answer.content
    return answer.json()


@pytest.mark.requirement("A22-1")
def test_a_file_swapped_on_disk_predicts_no_more(road: Road, tmp_path: Path) -> None:
    road.dossier()
    path = tmp_path / "batch-models" / f"{GOOD}.json"
    genuine = path.read_text()
    other = (tmp_path / "batch-models" / f"{BAD}.json").read_text()
    out = tmp_path / "out.csv"
    for swapped in (
        other.replace(BAD, GOOD),  # whole in itself: only the register knows better
        genuine.replace("watch penicillin", "release penicillin"),  # the digest covers numbers only
    ):
        path.write_text(swapped)
        batch_models.open_(GOOD)
        with pytest.raises(batch_models.BatchModelAltered, match="not the one that was registered"):
            batch_replays.predict(road.files.test, GOOD, out)
        with pytest.raises(batch_models.BatchModelAltered):
            batch_models.register(GOOD, at=timezone.now())
    assert not out.exists()
    path.write_text(genuine)
    assert "is draft, on trial" in batch_replays.predict(road.files.test, GOOD, out)


def test_the_same_numbers_under_another_name_are_not_registered(road: Road, tmp_path: Path) -> None:
    road.dossier()
    folder = tmp_path / "batch-models"
    (folder / "fresh-batch@1.json").write_text((folder / f"{GOOD}.json").read_text())

    with pytest.raises(batch_models.BatchModelKnown, match=GOOD):
        batch_models.register("fresh-batch@1", at=timezone.now())


@pytest.mark.requirement("A22-10")
def test_a_later_version_takes_the_place_of_a_qualified_one_under_change_control_only(
    road: Road, tmp_path: Path
) -> None:
    road.dossier()
    road.seal()
    first = road.approve(road.draft())
    road.run(first)
    life.qualify(first.version, confirmed=road.signed(road.people.quality), reason="it has passed")
    folder = tmp_path / "batch-models"
    label = "walk-batch@2"
    (folder / f"{label}.json").write_text((folder / f"{BAD}.json").read_text())
    road.dossier(label, labels="shuffled_labels")

    with pytest.raises(CommandError, match="name the change control"):
        road.draft(label)
    waiting = factories.change()
    drafted = road.draft(label, change=waiting.number)
    with pytest.raises(Exception, match="no approved change"):
        road.approve(drafted)
    agreed = road.approve(road.draft(label, change=factories.approved_change().number))

    assert agreed.approved_at is not None
