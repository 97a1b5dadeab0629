"""Versions of twins in the admin: what each is for, what exactly it is, and its qualification."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString

from compliance.access import acts, page_parts, record_admin
from compliance.access.acts import Act, ConfirmForm, Done, Occasion
from compliance.access.duties import Duty
from compliance.access.page_parts import (
    Cell,
    Facts,
    Folded,
    Note,
    Page,
    Part,
    Section,
    Table,
    Text,
)
from compliance.access.record_admin import RecordAdmin
from compliance.reports import admin as report_pages
from compliance.signatures import manifestations
from compliance.signatures.forms import SignWithReasonForm, confirmed
from compliance.trail.tlog import canonical
from twins.hub import (
    custody,
    dossier_form,  # noqa: F401 -- offers its act on the page of a version
    life,
    protocols,
    qualification_report,
    versions,
    wording,
)
from twins.hub.models import (
    DriftCheck,
    DriftFinding,
    ModelDossier,
    ModelVersion,
    Qualification,
    QualificationState,
    SealedTestSet,
    TestRun,
    VersionState,
)


def _qualify(occasion: Occasion) -> Done:
    version = life.qualify(
        occasion.record, confirmed=confirmed(occasion), reason=occasion.values["reason"]
    )
    return Done(f"{version} is qualified.")


def _retire(occasion: Occasion) -> Done:
    version = life.retire(
        occasion.record, confirmed=confirmed(occasion), reason=occasion.values["reason"]
    )
    return Done(f"{version} is retired.")


def _approve(occasion: Occasion) -> Done:
    qualification = protocols.approve(
        occasion.record, confirmed=confirmed(occasion), reason=occasion.values["reason"]
    )
    return Done(f"The criteria of {qualification} are signed; its test set may be opened.")


def _report(occasion: Occasion) -> Done:
    number = occasion.record.number
    return report_pages.ask(occasion, kind=qualification_report.KIND, subject=number)


acts.offer(
    ModelVersion,
    Act(
        "qualify", "Qualify", Duty.APPROVE_MODEL, _qualify, form=SignWithReasonForm, is_grave=True,
        is_offered=lambda version: version.state == VersionState.DRAFT,
        explanation="Your signature lets its predictions count, on the ground of its newest test. "
        "Whoever prepared, trained or tested it does not sign.",
    ),
    Act(
        "retire", "Retire", Duty.APPROVE_MODEL, _retire, form=SignWithReasonForm, is_grave=True,
        is_offered=lambda version: version.state == VersionState.QUALIFIED,
        explanation="Your signature ends its use: it predicts no more.",
    ),
)  # fmt: skip
acts.offer(
    Qualification,
    Act(
        "approve", "Approve the criteria", Duty.APPROVE_MODEL, _approve, form=SignWithReasonForm,
        is_offered=lambda one: one.state == QualificationState.DRAFT, is_grave=True,
        explanation="Your signature fixes the criteria; the test set is opened after it only.",
    ),
    Act(
        "report", "Request the qualification as PDF", Duty.BUILD_REPORT, _report, form=ConfirmForm,
        explanation="A worker builds the PDF with everything as it is now, passed or failed, puts the "
        "evidence inside and seals it.",
    ),
)  # fmt: skip


@admin.register(ModelVersion)
class ModelVersionAdmin(RecordAdmin):
    list_display = ("name", "state", "code", "parameters", "registered_at")
    list_filter = ("state",)
    badges = ("state",)
    search_fields = ("name", "code_digest", "parameters_digest")
    ordering = ("-pk",)
    empty_text = "No twin has run yet. A version is registered when it first predicts."

    @admin.display(description="Code", ordering="code_digest")
    def code(self, version: ModelVersion) -> str:
        return page_parts.code(version.code_digest[:16])

    @admin.display(description="Parameters", ordering="parameters_digest")
    def parameters(self, version: ModelVersion) -> str:
        return page_parts.code(version.parameters_digest[:16])

    def page(self, record: ModelVersion, request: HttpRequest) -> Page:
        badge = (
            page_parts.badge("Installed", "good")
            if versions.is_installed(record)
            else page_parts.badge("Not the installed version")
        )
        badges = [_life(record), badge]
        facts = Facts(
            [
                ("Qualified", page_parts.moment(record.qualified_at)),
                ("Retired", page_parts.moment(record.retired_at)),
                ("Registered", page_parts.moment(record.registered_at)),
                ("Digest of the code", page_parts.code(record.code_digest)),
                ("Digest of the parameters", page_parts.code(record.parameters_digest)),
            ]
        )
        declared: list[Part] = [_declared(name, said) for name, said in record.declarations.items()]
        sections = [
            Section("Intended use", [Text(record.intended_use)], is_wide=False),
            Section("Valid range", [Text(record.valid_range)], is_wide=False),
            Section("Version", [facts]),
            Section("Declarations", declared),
            Section("Dossier", _dossier(record)),
            Section("Qualifications", [_qualifications(record)]),
            Section("Drift", [_drifts(record)]),
            manifestations.section(record),
        ]
        return Page(record.name, "", badges, sections)


def _life(version: ModelVersion) -> SafeString:
    tones: dict[str, page_parts.Tone] = {"draft": "warn", "qualified": "good", "retired": "quiet"}
    return page_parts.badge(version.get_state_display(), tones[version.state])


_NOT_PREPARED = (
    "Not prepared yet. An author of models prepares and signs it here, over the API or, from the files "
    "of a training, on the command line (docs/twins.md)."
)


def _dossier(version: ModelVersion) -> list[Part]:
    dossier = ModelDossier.objects.filter(version=version).select_related("prepared_by").first()
    if dossier is None:
        return [Note(_NOT_PREPARED)]
    rows: list[list[Cell]] = [
        [one.label, page_parts.code(one.content_digest), str(one.rows)]
        for one in dossier.batches.order_by("pk")
    ]
    trainers = dossier.trainers.select_related("person").order_by("pk")
    facts = Facts(
        [
            ("Subgroups", ", ".join(dossier.subgroups)),
            ("Prepared by", dossier.prepared_by.username),
            ("Prepared", page_parts.moment(dossier.prepared_at)),
            ("Training repeated", page_parts.shown(dossier.is_training_repeated)),
            ("Trained by", ", ".join(one.person.username for one in trainers)),
        ]
    )
    return [
        facts,
        Text(dossier.limits, label="Limits"),
        Text(dossier.training, label="Training data"),
        Folded(
            f"{len(rows)} training batches",
            [Table(["Batch", "SHA-256 of its content", "Rows"], rows, numeric=["Rows"])],
        ),
    ]


def _qualifications(version: ModelVersion) -> Table:
    found = version.qualifications.select_related("test_set").order_by("pk")
    rows: list[list[Cell]] = [
        [record_admin.link(one), one.get_state_display(), record_admin.link(one.test_set)]
        for one in found
    ]
    return Table(["Qualification", "State", "Test set"], rows)


def _drifts(version: ModelVersion) -> Table:
    checks = DriftCheck.objects.filter(version=version).order_by("-number")[:20]
    findings = DriftFinding.objects.filter(found_in__in=[one.pk for one in checks])
    found: dict[int, list[str]] = {}
    for one in findings.select_related("deviation").order_by("pk"):
        found.setdefault(one.found_in_id, []).append(f"{one.name} ({one.deviation})")
    rows: list[list[Cell]] = [
        [
            str(one.number),
            page_parts.moment(one.checked_at),
            str(len(one.batches)),
            one.alpha,
            ", ".join(found.get(one.pk, [])) or "none",
        ]
        for one in checks
    ]
    return Table(["Window", "Checked", "Batches", "False-alarm rate", "Drift"], rows)


@admin.register(Qualification)
class QualificationAdmin(RecordAdmin):
    list_display = ("number", "version", "state", "test_set", "author", "approved_at")
    list_select_related = ("version", "test_set", "author")
    search_fields = ("number", "version__name", "test_set__number")
    list_filter = ("state",)
    badges = ("state",)
    ordering = ("-pk",)
    empty_text = "No qualification yet. A program drafts one, and people approve it here."

    def page(self, record: Qualification, request: HttpRequest) -> Page:
        facts = Facts(
            [
                ("Version", record_admin.link(record.version)),
                ("Test set", record_admin.link(record.test_set)),
                ("Author", record.author.username),
                ("Drafted", page_parts.moment(record.drafted_at)),
                ("Criteria signed", page_parts.moment(record.approved_at)),
                ("Change control", record.change_number),
                ("False alarms allowed", record.false_alarm_contract),
                ("Misses allowed", record.miss_contract),
                ("False-alarm rate of the drift watch", record.drift_alpha),
            ]
        )
        rows: list[list[Cell]] = [
            [
                wording.metric(one.metric),
                one.get_comparison_display(),
                one.threshold,
                one.population,
            ]
            for one in record.criteria.order_by("pk")
        ]
        criteria = Table(["Metric", "Comparison", "Threshold", "Population"], rows)
        sections = [
            Section("Protocol", [facts, Text(record.replaces, label="What it replaces")]),
            Section("Acceptance criteria", [criteria]),
            manifestations.section(record),
        ]
        badges = [page_parts.state(record.state, record.get_state_display())]
        run = TestRun.objects.filter(qualification=record).select_related("look").first()
        if run is not None:
            if run.is_second_look:
                badges.append(page_parts.badge("Second look", "warn"))
            sections[2:2] = _run(run)
        return Page(record.number, f"of {record.version}", badges, sections)


def _run(run: TestRun) -> list[Section]:
    facts = Facts(
        [
            ("Outcome", run.get_outcome_display()),
            ("Run by", run.run_by.username),
            ("Run", page_parts.moment(run.run_at)),
            ("Answers", run.get_answered_by_display()),
            ("Look into the test set", str(run.look.number)),
            ("Deviation", record_admin.link(run.deviation) if run.deviation else ""),
        ]
    )
    verdicts: list[list[Cell]] = [
        [
            wording.metric(one["criterion"]["metric"]),
            wording.figure(one["value"]),
            one["criterion"]["threshold"],
            "met" if one["is_met"] else page_parts.badge("not met", "bad"),
        ]
        for one in run.verdicts
    ]
    parts: list[Part] = [facts, Table(["Metric", "Found", "Threshold", "Verdict"], verdicts)]
    parts += [_scores(score) for score in run.scores]
    signed = manifestations.section(run)
    return [Section("Test run", parts), Section("Signature of the run", signed.parts)]


def _scores(score: dict[str, Any]) -> Folded:
    rows: list[list[Cell]] = [
        [
            wording.metric(name),
            wording.figure(one["value"]),
            wording.interval(one["interval"]),
            str(one["of"]),
        ]
        for name, one in score["metrics"].items()
    ]
    rows += [
        [name.replace("_", " "), str(count), "", ""] for name, count in score["confusion"].items()
    ]
    columns = ["Metric", "Value", "95 % interval", "Of"]
    return Folded(f"{score['population']}: {score['batches']} batches", [Table(columns, rows)])


@admin.register(SealedTestSet)
class SealedTestSetAdmin(RecordAdmin):
    list_display = ("number", "name", "sealed_by", "sealed_at")
    list_select_related = ("sealed_by",)
    search_fields = ("number", "name", "batches__content_digest")
    ordering = ("-pk",)
    empty_text = (
        "No test set is sealed yet. A program seals one, as it holds the rows of each batch."
    )

    def page(self, record: SealedTestSet, request: HttpRequest) -> Page:
        facts = Facts(
            [
                ("Sealed by", record.sealed_by.username),
                ("Sealed", page_parts.moment(record.sealed_at)),
                ("Made by a simulation", page_parts.shown(record.is_generated)),
                ("Digest of the labels", page_parts.code(record.labels_digest)),
            ]
        )
        coverage: list[list[Cell]] = [[str(cell) for cell in row] for row in record.coverage]
        looks: list[list[Cell]] = [
            [
                str(one.number),
                page_parts.moment(one.looked_at),
                one.looked_by.username,
                record_admin.link(one.qualification),
                one.why,
            ]
            for one in record.looks.select_related("looked_by", "qualification").order_by("number")
        ]
        batches: list[list[Cell]] = [
            [one.label, one.subgroup, str(one.rows), page_parts.code(one.content_digest)]
            for one in record.batches.order_by("pk")
        ]
        refused: list[list[Cell]] = [
            [page_parts.moment(one.recorded_at), f"{one.actor} ({one.role})", one.code, one.message]
            for one in custody.refused(record)
        ]
        excluded: list[list[Cell]] = [[str(cell) for cell in row] for row in record.exclusions]
        sections = [
            Section(
                "Test set",
                [
                    facts,
                    Text(record.provenance, label="Provenance"),
                    Text(record.label_provenance, label="Labels"),
                ],
            ),
            Section(
                "Custody",
                [
                    Table(["Look", "When", "Who", "Qualification", "Why"], looks, caption="Looks"),
                    Table(
                        ["When", "Who", "Refused as", "What was said"],
                        refused,
                        caption="Refused attempts",
                    ),
                ],
            ),
            Section("Coverage", [Table(["Subgroup", "Batches", "With an event"], coverage)]),
            Section("Left out", [Table(["Batch", "Reason"], excluded)]),
            Section("Batches", [Table(["Batch", "Subgroup", "Rows", "Content"], batches)]),
            manifestations.section(record),
        ]
        return Page(record.number, record.name, [], sections)


def _declared(name: str, said: Any) -> Folded:
    """Show one declaration: a list of alike records as a table, anything else as it is."""
    if isinstance(said, list) and said and all(isinstance(one, dict) for one in said):
        columns = list(said[0])
        rows: list[list[Cell]] = [[_text(one.get(column)) for column in columns] for one in said]
        return Folded(_label(name), [Table([_label(column) for column in columns], rows)])
    if isinstance(said, dict):
        pairs = [[key, _text(value)] for key, value in said.items()]
        return Folded(_label(name), [Table(["Name", "Value"], pairs)])
    return Folded(_label(name), [Text(_text(said))])


def _label(name: str) -> str:
    return name.replace("_", " ")


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else canonical.dumps(value).decode()
