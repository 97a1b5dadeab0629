import compliance.trail.fields
import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models

from compliance import migrating


class Migration(migrating.Tables):
    initial = True

    dependencies = [
        ("access", "0001_initial"),
        ("access", "__first__"),
        ("execution", "0001_initial"),
        ("trail", "0002_tables"),
    ]

    operations = [
        migrations.CreateModel(
            name="Receipt",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "sender",
                    models.CharField(
                        help_text="Identity of the device or person, as in the trail.",
                        max_length=60,
                    ),
                ),
                ("sender_name", models.CharField(max_length=60)),
                ("idempotency_key", models.CharField(max_length=120)),
                ("method", models.CharField(max_length=8)),
                ("path", models.CharField(max_length=300)),
                (
                    "request_digest",
                    models.CharField(help_text="SHA-256 of the posted bytes.", max_length=64),
                ),
                ("status", models.PositiveSmallIntegerField()),
                ("answer", models.TextField()),
                (
                    "act",
                    models.CharField(
                        help_text="The act in the trail that made the change.", max_length=36
                    ),
                ),
                ("recorded_at", models.DateTimeField()),
            ],
            options={
                "indexes": [
                    models.Index(fields=["idempotency_key"], name="exchange_re_idempot_dba5a3_idx")
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("sender", "method", "path", "idempotency_key"), name="receipt_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SenderMapping",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.PositiveIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("proposed", "Proposed"),
                            ("effective", "Effective"),
                            ("superseded", "Superseded"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="proposed",
                        max_length=10,
                    ),
                ),
                (
                    "origin",
                    models.CharField(
                        blank=True,
                        help_text="The table of the product that it came with.",
                        max_length=100,
                    ),
                ),
                ("reason", models.TextField(blank=True)),
                ("proposed_at", models.DateTimeField()),
                ("approved_at", models.DateTimeField(blank=True, null=True)),
                ("name", models.CharField(max_length=60)),
                ("definition", compliance.trail.fields.CanonicalJSONField()),
                (
                    "approved_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "proposed_by",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty for what came with the product.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("name", "version"), name="mapping_version_once"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "effective")),
                        fields=("name",),
                        name="mapping_effective_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["proposed", "effective", "superseded", "withdrawn"])
                        ),
                        name="mapping_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("approved_by", None),
                            ("proposed_by", None),
                            models.Q(("approved_by", models.F("proposed_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="mapping_approved_by_another",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state__in", ["effective", "superseded"]), _negated=True),
                            models.Q(
                                ("approved_at__isnull", False), ("approved_by__isnull", False)
                            ),
                            models.Q(
                                ("proposed_by", None), models.Q(("origin", ""), _negated=True)
                            ),
                            _connector="OR",
                        ),
                        name="mapping_effective_is_approved",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Message",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("received", "Received"),
                            ("mapped", "Mapped"),
                            ("quarantined", "In quarantine"),
                            ("resolved", "Resolved"),
                            ("refused", "Dismissed"),
                        ],
                        default="received",
                        max_length=12,
                    ),
                ),
                ("format", models.CharField(max_length=80)),
                ("format_version", models.CharField(blank=True, max_length=40)),
                ("media_type", models.CharField(max_length=100)),
                (
                    "own_id",
                    models.CharField(
                        blank=True, help_text="As the message names itself.", max_length=120
                    ),
                ),
                ("sha256", models.CharField(help_text="Of the bytes, unpacked.", max_length=64)),
                ("size", models.PositiveIntegerField()),
                (
                    "converted_by",
                    models.CharField(
                        blank=True,
                        help_text="The program, and its version, that read a raw file.",
                        max_length=100,
                    ),
                ),
                ("report", compliance.trail.fields.CanonicalJSONField(default=dict)),
                ("received_at", models.DateTimeField()),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                (
                    "decision",
                    models.TextField(blank=True, help_text="What a person did about it, and why."),
                ),
                (
                    "attachment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="trail.attachment",
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        blank=True,
                        help_text="The batch that it is about: as said beside it, by itself, or chosen.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="messages",
                        to="execution.batch",
                    ),
                ),
                (
                    "converted",
                    models.ForeignKey(
                        blank=True,
                        help_text="What that program made of it.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="trail.attachment",
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "sent_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        blank=True,
                        help_text="The system that sent it; empty when a person did.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="messages",
                        to="access.device",
                    ),
                ),
                (
                    "mapping",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="messages",
                        to="exchange.sendermapping",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["state", "received_at"], name="exchange_me_state_f64b8b_idx"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("source", "sha256"), name="message_of_device_once"
                    ),
                    models.UniqueConstraint(
                        fields=("sent_by", "sha256"), name="message_of_person_once"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("own_id", ""), _negated=True),
                        fields=("source", "own_id"),
                        name="message_own_id_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                ["received", "mapped", "quarantined", "resolved", "refused"],
                            )
                        ),
                        name="message_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("sent_by__isnull", False), ("source", None)),
                            models.Q(("sent_by", None), ("source__isnull", False)),
                            _connector="OR",
                        ),
                        name="message_has_one_sender",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state__in", ["resolved", "refused"]), _negated=True),
                            models.Q(
                                ("decided_at__isnull", False),
                                ("decided_by__isnull", False),
                                models.Q(("decision", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="message_ended_by_a_person_with_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("sha256__regex", "^[0-9a-f]{64}$")),
                        name="message_digest_is_sha256",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Source",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=60, unique=True)),
                ("description", models.CharField(blank=True, max_length=200)),
                (
                    "late_after_s",
                    models.PositiveIntegerField(
                        default=900,
                        help_text="Received so long after it was observed.",
                        verbose_name="late after (s)",
                    ),
                ),
                (
                    "backfilled_after_s",
                    models.PositiveIntegerField(
                        default=3600,
                        help_text="So long that it comes from a store.",
                        verbose_name="backfilled after (s)",
                    ),
                ),
                (
                    "clock_skew_s",
                    models.PositiveIntegerField(
                        default=60,
                        help_text="Its clock is so far from ours when it sends, or ahead of ours.",
                        verbose_name="clock suspect beyond (s)",
                    ),
                ),
                ("registered_at", models.DateTimeField()),
                (
                    "device",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sources",
                        to="access.device",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("backfilled_after_s__gte", models.F("late_after_s"))),
                        name="source_backfilled_is_late",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("code__regex", "^[A-Za-z0-9][A-Za-z0-9._:-]*$")),
                        name="source_code_plain",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Gap",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("first", models.BigIntegerField()),
                ("last", models.BigIntegerField()),
                (
                    "missing",
                    models.BigIntegerField(help_text="How many of them have not come yet."),
                ),
                ("opened_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "explanation",
                    models.TextField(blank=True, help_text="Why they will never come."),
                ),
                ("explained_at", models.DateTimeField(blank=True, null=True)),
                (
                    "explained_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="gaps",
                        to="exchange.source",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("missing__gt", 0)),
                        fields=["source", "first"],
                        name="gap_open",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("source", "first"), name="gap_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("first__gte", 1),
                            ("last__gte", models.F("first")),
                            ("missing__gte", 0),
                            (
                                "missing__lte",
                                django.db.models.expressions.CombinedExpression(
                                    django.db.models.expressions.CombinedExpression(
                                        models.F("last"), "-", models.F("first")
                                    ),
                                    "+",
                                    models.Value(1),
                                ),
                            ),
                        ),
                        name="gap_counts",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("closed_at__isnull", False), ("missing", 0)),
                            models.Q(("closed_at__isnull", True), ("missing__gt", 0)),
                            _connector="OR",
                        ),
                        name="gap_closed_when_nothing_is_missing",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("explained_at", None), ("explained_by", None), ("explanation", "")
                            ),
                            models.Q(
                                models.Q(("explanation", ""), _negated=True),
                                ("explained_at__isnull", False),
                                ("explained_by__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="gap_explained_by_somebody",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SourceRecord",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("record_id", models.CharField(max_length=120, verbose_name="record")),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "reason",
                    models.CharField(blank=True, help_text="Of a correction.", max_length=1000),
                ),
                (
                    "corrected_by",
                    models.CharField(
                        blank=True,
                        help_text="Who corrected it, as the source names them.",
                        max_length=100,
                    ),
                ),
                ("sequence", models.BigIntegerField(blank=True, null=True)),
                ("kind", models.CharField(max_length=20)),
                (
                    "content",
                    models.TextField(help_text="As digested: canonical JSON; empty for readings."),
                ),
                ("content_digest", models.CharField(max_length=64)),
                (
                    "observed_text",
                    models.CharField(help_text="As sent, with its offset.", max_length=40),
                ),
                ("observed_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                ("received_at", models.DateTimeField()),
                ("recorded_at", models.DateTimeField()),
                ("is_late", models.BooleanField(default=False)),
                ("is_backfilled", models.BooleanField(default=False)),
                ("is_clock_suspect", models.BooleanField(default=False)),
                (
                    "doubts",
                    models.CharField(
                        blank=True, help_text="Which threshold was passed.", max_length=300
                    ),
                ),
                (
                    "subject",
                    models.CharField(
                        help_text="Table and number of what was recorded.", max_length=100
                    ),
                ),
                (
                    "previous",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="corrected_by_version",
                        to="exchange.sourcerecord",
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="records",
                        to="exchange.source",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("source", "record_id", "version"), name="source_record_once"
                    ),
                    models.UniqueConstraint(
                        fields=("source", "sequence"), name="source_sequence_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("previous", None), ("version", 1)),
                            models.Q(
                                ("previous__isnull", False),
                                ("version__gt", 1),
                                models.Q(("reason", ""), _negated=True),
                                models.Q(("corrected_by", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="source_record_corrected_with_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("sequence", None), ("sequence__gte", 1), _connector="OR"
                        ),
                        name="source_sequence_counts",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Subscription",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=60, unique=True)),
                ("url", models.CharField(max_length=500)),
                (
                    "kinds",
                    models.TextField(
                        blank=True,
                        help_text="Tables, or tables with an operation, one a line. Empty: all.",
                    ),
                ),
                (
                    "scheme",
                    models.CharField(
                        choices=[("v1", "HMAC-SHA256 (v1)"), ("v1a", "Ed25519 (v1a)")],
                        default="v1",
                        max_length=4,
                    ),
                ),
                ("secret", models.TextField()),
                ("previous_secret", models.TextField(blank=True)),
                ("previous_until", models.DateTimeField(blank=True, null=True)),
                ("begins_after", models.CharField(help_text="Cursor of the feed.", max_length=40)),
                ("is_active", models.BooleanField(default=True)),
                ("why_inactive", models.CharField(blank=True, max_length=300)),
                ("created_at", models.DateTimeField()),
                (
                    "created_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "device",
                    models.ForeignKey(
                        help_text="Whose permissions apply: what it may not read is not told.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="subscriptions",
                        to="access.device",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("scheme__in", ["v1", "v1a"])),
                        name="subscription_scheme_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("previous_secret", ""), ("previous_until", None)),
                            models.Q(
                                models.Q(("previous_secret", ""), _negated=True),
                                ("previous_until__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="subscription_rotates_with_an_end",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("is_active", True), ("why_inactive", "")),
                            models.Q(
                                ("is_active", False), models.Q(("why_inactive", ""), _negated=True)
                            ),
                            _connector="OR",
                        ),
                        name="subscription_off_says_why",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("message_id", models.CharField(max_length=80)),
                ("event_type", models.CharField(max_length=100)),
                ("body", models.TextField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("delivered", "Delivered"),
                            ("exhausted", "Given up"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("retry_until", models.DateTimeField()),
                ("attempt_count", models.PositiveIntegerField(default=0, verbose_name="attempts")),
                ("next_try_at", models.DateTimeField(blank=True, null=True)),
                ("last_answer", models.CharField(blank=True, max_length=300)),
                (
                    "subscription",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="deliveries",
                        to="exchange.subscription",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "deliveries",
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "waiting")),
                        fields=["next_try_at"],
                        name="delivery_due",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("subscription", "message_id"), name="delivery_message_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["waiting", "delivered", "exhausted"])),
                        name="delivery_state_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Replay",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("replayed_at", models.DateTimeField()),
                ("reason", models.TextField()),
                (
                    "delivery",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="replays",
                        to="exchange.delivery",
                    ),
                ),
                (
                    "replayed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Position",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("cursor", models.CharField(max_length=40)),
                ("busy_until", models.DateTimeField(blank=True, null=True)),
                (
                    "subscription",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="position",
                        to="exchange.subscription",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="UnitAlias",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.PositiveIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("proposed", "Proposed"),
                            ("effective", "Effective"),
                            ("superseded", "Superseded"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="proposed",
                        max_length=10,
                    ),
                ),
                (
                    "origin",
                    models.CharField(
                        blank=True,
                        help_text="The table of the product that it came with.",
                        max_length=100,
                    ),
                ),
                ("reason", models.TextField(blank=True)),
                ("proposed_at", models.DateTimeField()),
                ("approved_at", models.DateTimeField(blank=True, null=True)),
                (
                    "raw",
                    models.CharField(
                        help_text="As written by the source, sign for sign.", max_length=60
                    ),
                ),
                ("code", models.CharField(help_text="UCUM code.", max_length=40)),
                ("display", models.CharField(max_length=40)),
                ("dimension", models.CharField(help_text="What it measures.", max_length=60)),
                (
                    "approved_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "proposed_by",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty for what came with the product.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "unit aliases",
                "constraints": [
                    models.UniqueConstraint(fields=("raw", "version"), name="alias_version_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "effective")),
                        fields=("raw",),
                        name="alias_effective_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("code", ""),
                            ("display", ""),
                            ("dimension", ""),
                            _connector="OR",
                            _negated=True,
                        ),
                        name="alias_says_all",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["proposed", "effective", "superseded", "withdrawn"])
                        ),
                        name="alias_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("approved_by", None),
                            ("proposed_by", None),
                            models.Q(("approved_by", models.F("proposed_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="alias_approved_by_another",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state__in", ["effective", "superseded"]), _negated=True),
                            models.Q(
                                ("approved_at__isnull", False), ("approved_by__isnull", False)
                            ),
                            models.Q(
                                ("proposed_by", None), models.Q(("origin", ""), _negated=True)
                            ),
                            _connector="OR",
                        ),
                        name="alias_effective_is_approved",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DeliveryAttempt",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("tried_at", models.DateTimeField()),
                ("status", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("answer", models.CharField(max_length=300)),
                ("took_ms", models.PositiveIntegerField()),
                (
                    "delivery",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="attempts",
                        to="exchange.delivery",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("delivery", "number"), name="delivery_attempt_once"
                    )
                ],
            },
        ),
    ]
