import datetime
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

from compliance import migrating


class Migration(migrating.Tables):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="AccessEvent",
            fields=[
                ("id", models.CharField(max_length=60, primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("accepted", "Signed in"),
                            ("wrong", "Wrong name or password"),
                            ("locked", "Refused: locked"),
                            ("signed-out", "Signed out"),
                            ("session-opened", "Session opened"),
                            ("session-ended", "Session ended"),
                            ("person-created", "Person created"),
                            ("password-own", "Own password chosen"),
                            ("password-set", "Password set by another"),
                            ("role-given", "Role given"),
                            ("role-ended", "Role ended"),
                            ("identity-proven", "Identity proven"),
                            ("identity-withdrawn", "Proof of identity withdrawn"),
                            ("alarm", "Alarm raised"),
                            ("alarm-acknowledged", "Alarm acknowledged"),
                        ],
                        max_length=20,
                    ),
                ),
                ("username", models.CharField(max_length=150)),
                ("detail", models.TextField()),
                ("address", models.CharField(max_length=64)),
            ],
            options={
                "verbose_name": "access event",
                "verbose_name_plural": "access log",
                "db_table": "access_log",
                "managed": False,
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="SignIn",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("username", models.CharField(db_index=True, max_length=150)),
                (
                    "purpose",
                    models.CharField(
                        choices=[
                            ("session", "Session"),
                            ("signature", "Signature"),
                            ("token", "Access token"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("accepted", "Accepted"),
                            ("wrong", "Wrong name or password"),
                            ("locked", "Refused: locked"),
                            ("signed-out", "Signed out"),
                        ],
                        max_length=20,
                    ),
                ),
                ("address", models.CharField(blank=True, max_length=64)),
                ("attempted_at", models.DateTimeField(db_index=True)),
            ],
            options={"verbose_name": "sign-in"},
        ),
        migrations.CreateModel(
            name="User",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("username", models.CharField(max_length=60, unique=True)),
                (
                    "full_name",
                    models.CharField(help_text="As printed with a signature.", max_length=200),
                ),
                ("email", models.EmailField(blank=True, max_length=254)),
                ("is_active", models.BooleanField(default=True)),
                ("must_change_password", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField()),
                (
                    "leaves_on",
                    models.DateField(
                        blank=True,
                        help_text="Last day at work; after it the account must be inactive.",
                        null=True,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("username"),
                        name="username_unique_whatever_case",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("username__regex", "^[A-Za-z0-9._-]+$")),
                        name="username_is_plain",
                    ),
                    models.UniqueConstraint(
                        django.db.models.functions.text.Replace(
                            django.db.models.functions.text.Replace(
                                models.Func(
                                    django.db.models.functions.text.Lower(models.F("username")),
                                    models.Value(
                                        "01i|_.асеһіјорԛѕухԝАВСЕНІЈКМОРЅТУХӏӀαικνορυΑΒΕΖΗΙΚΜΝΟΡΤΥΧ"
                                    ),
                                    models.Value(
                                        "olll--acehljopqsyxwabcehljkmopstyxllalkvopuabezhlkmnoptyx"
                                    ),
                                    function="TRANSLATE",
                                ),
                                models.Value("rn"),
                                models.Value("m"),
                            ),
                            models.Value("vv"),
                            models.Value("w"),
                        ),
                        name="username_unlike_all_others",
                    ),
                    models.UniqueConstraint(
                        django.db.models.functions.text.Replace(
                            django.db.models.functions.text.Replace(
                                models.Func(
                                    django.db.models.functions.text.Lower(models.F("full_name")),
                                    models.Value(
                                        "01i|_.асеһіјорԛѕухԝАВСЕНІЈКМОРЅТУХӏӀαικνορυΑΒΕΖΗΙΚΜΝΟΡΤΥΧ"
                                    ),
                                    models.Value(
                                        "olll--acehljopqsyxwabcehljkmopstyxllalkvopuabezhlkmnoptyx"
                                    ),
                                    function="TRANSLATE",
                                ),
                                models.Value("rn"),
                                models.Value("m"),
                            ),
                            models.Value("vv"),
                            models.Value("w"),
                        ),
                        name="full_name_unlike_all_others",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("full_name", ""), _negated=True),
                        name="full_name_present",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("full_name__regex", "^\\S+( \\S+)*$")),
                        name="full_name_in_single_spaces",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AccessReview",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.CharField(max_length=40, unique=True)),
                ("due_on", models.DateField()),
                ("opened_at", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "Open"), ("closed", "Closed")],
                        default="open",
                        max_length=10,
                    ),
                ),
                ("conclusion", models.TextField(blank=True)),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "closed_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "reviewer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "open")),
                        fields=("state",),
                        name="access_review_one_open",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("closed_at", None),
                                ("closed_by", None),
                                ("conclusion", ""),
                                ("state", "open"),
                            ),
                            models.Q(
                                ("closed_at__isnull", False),
                                ("closed_by__isnull", False),
                                ("state", "closed"),
                                models.Q(("conclusion", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="access_review_closed_with_conclusion",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AccessReviewLine",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("full_name", models.CharField(max_length=200)),
                (
                    "roles",
                    models.TextField(blank=True, help_text="Stored names, separated by commas."),
                ),
                ("is_active", models.BooleanField()),
                ("is_proven", models.BooleanField()),
                ("leaves_on", models.DateField(blank=True, null=True)),
                ("last_sign_in_at", models.DateTimeField(blank=True, null=True)),
                (
                    "outcome",
                    models.CharField(
                        blank=True, choices=[("keep", "Keep"), ("remove", "Remove")], max_length=10
                    ),
                ),
                ("reason", models.TextField(blank=True)),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
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
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "review",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lines",
                        to="access.accessreview",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("review", "person"), name="reviewed_once_a_review"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("decided_by", None),
                            models.Q(("decided_by", models.F("person")), _negated=True),
                            _connector="OR",
                        ),
                        name="review_line_not_by_oneself",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("decided_at", None),
                                ("decided_by", None),
                                ("outcome", ""),
                                ("reason", ""),
                            ),
                            models.Q(
                                ("outcome__in", ["keep", "remove"]),
                                ("decided_at__isnull", False),
                                ("decided_by__isnull", False),
                                models.Q(("reason", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="review_line_decided_whole",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CertificationLetter",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("reference", models.CharField(max_length=100, unique=True)),
                ("sent_on", models.DateField()),
                ("addressed_to", models.CharField(max_length=200)),
                ("recorded_at", models.DateTimeField()),
                (
                    "recorded_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("reference", ""), _negated=True),
                        name="certification_letter_referenced",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Device",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=60, unique=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("mes", "MES"),
                            ("lims", "LIMS"),
                            ("historian", "Historian or sensor gateway"),
                            ("twin", "Simulated plant"),
                        ],
                        max_length=20,
                    ),
                ),
                ("secret_digest", models.CharField(max_length=64)),
                ("is_active", models.BooleanField(default=True)),
                ("enrolled_at", models.DateTimeField()),
                (
                    "bound_to",
                    models.CharField(
                        blank=True,
                        help_text="Code of the equipment or system that it speaks for.",
                        max_length=60,
                    ),
                ),
                (
                    "qualification",
                    models.CharField(
                        choices=[
                            ("unqualified", "Not qualified"),
                            ("qualified", "Qualified"),
                            ("retired", "Retired"),
                        ],
                        default="unqualified",
                        max_length=20,
                    ),
                ),
                (
                    "qualified_until",
                    models.DateField(blank=True, help_text="Empty: without end.", null=True),
                ),
                ("qualified_at", models.DateTimeField(blank=True, null=True)),
                (
                    "qualified_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("qualification__in", ["unqualified", "qualified", "retired"])
                        ),
                        name="device_qualification_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("qualification", "qualified"), _negated=True),
                            models.Q(
                                models.Q(("bound_to", ""), _negated=True),
                                ("qualified_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="device_qualified_for_equipment",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ApiClient",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("client_id", models.CharField(max_length=40, unique=True)),
                (
                    "site",
                    models.CharField(
                        help_text="Origin of the log of the site that it was registered for.",
                        max_length=200,
                    ),
                ),
                ("scopes", models.TextField(help_text="Separated by spaces.")),
                ("created_at", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                (
                    "device",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="clients",
                        to="access.device",
                    ),
                ),
            ],
            options={
                "verbose_name": "API client",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("revoked_at", None),
                            ("revoked_at__gte", models.F("created_at")),
                            _connector="OR",
                        ),
                        name="client_revoked_after_it_was_made",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("scopes", ""), _negated=True),
                            models.Q(("site", ""), _negated=True),
                            models.Q(("client_id", ""), _negated=True),
                        ),
                        name="client_has_scopes",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ClientSecret",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("digest", models.CharField(max_length=64)),
                ("created_at", models.DateTimeField()),
                (
                    "ends_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="Set when the next secret was made; empty: the newest.",
                        null=True,
                    ),
                ),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                (
                    "client",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="secrets",
                        to="access.apiclient",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ends_at", None), ("revoked_at", None)),
                        fields=("client",),
                        name="one_newest_secret",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="AccessToken",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("digest", models.CharField(max_length=64, unique=True)),
                ("scopes", models.TextField()),
                ("address", models.CharField(blank=True, max_length=64)),
                ("issued_at", models.DateTimeField(db_index=True)),
                ("expires_at", models.DateTimeField()),
                (
                    "secret",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tokens",
                        to="access.clientsecret",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("expires_at__gt", models.F("issued_at")),
                            (
                                "expires_at__lte",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("issued_at"),
                                    "+",
                                    models.Value(datetime.timedelta(seconds=3600)),
                                ),
                            ),
                        ),
                        name="token_is_short_lived",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="IdentityProof",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "method",
                    models.CharField(
                        choices=[
                            ("in-person", "Official document, seen in person"),
                            ("video", "Official document, seen in a video call"),
                            ("employment", "Personnel file of the employer"),
                            ("installation", "Set up by the installation"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "document",
                    models.CharField(
                        help_text="What was seen and where its copy is kept, e.g. passport, HR-0042.",
                        max_length=200,
                    ),
                ),
                ("proven_by_name", models.CharField(max_length=200)),
                ("proven_at", models.DateTimeField(help_text="When the document was seen.")),
                ("recorded_at", models.DateTimeField()),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="identity_proofs",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "proven_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("proven_by", None),
                            models.Q(("proven_by", models.F("person")), _negated=True),
                            _connector="OR",
                        ),
                        name="identity_proven_by_another",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("method__in", ["in-person", "video", "employment", "installation"])
                        ),
                        name="identity_proof_method_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("proven_by_name", ""), _negated=True),
                        name="identity_proof_names_prover",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("proven_at__lte", models.F("recorded_at"))),
                        name="identity_proof_seen_before_recorded",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PasswordChange",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("is_own", models.BooleanField()),
                ("set_by", models.CharField(help_text="Name of whoever set it.", max_length=200)),
                ("set_by_id", models.CharField(max_length=100)),
                ("changed_at", models.DateTimeField()),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="password_changes",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="PersonSession",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("opened_at", models.DateTimeField(db_index=True)),
                ("address", models.CharField(blank=True, max_length=64)),
                ("agent", models.CharField(blank=True, max_length=200, verbose_name="program")),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "ended_why",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("signed-out", "Signed out"),
                            ("idle", "Idle for too long"),
                            ("limit", "Open for too long"),
                            ("revoked", "Revoked by an administrator"),
                            ("deactivated", "Person deactivated"),
                            ("roles-changed", "Roles changed"),
                            ("password-changed", "Password changed"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sessions",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "session",
                "indexes": [
                    models.Index(
                        condition=models.Q(("ended_at", None)),
                        fields=["person"],
                        name="session_open",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at", None), ("ended_why", "")),
                            models.Q(
                                ("ended_at__gte", models.F("opened_at")),
                                (
                                    "ended_why__in",
                                    [
                                        "signed-out",
                                        "idle",
                                        "limit",
                                        "revoked",
                                        "deactivated",
                                        "roles-changed",
                                        "password-changed",
                                    ],
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="session_ended_with_reason",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Procedure",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=40, unique=True)),
                ("title", models.CharField(max_length=200)),
                ("created_at", models.DateTimeField()),
                ("retired_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("code__regex", "^[A-Za-z0-9._/-]+$")),
                        name="procedure_code_is_plain",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("title", ""), _negated=True), name="procedure_titled"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Curriculum",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("operator", "Operator"),
                            ("supervisor", "Supervisor"),
                            ("warehouse", "Warehouse"),
                            ("maintenance", "Maintenance and calibration"),
                            ("qc-analyst", "QC analyst"),
                            ("qc-supervisor", "QC supervisor"),
                            ("quality-assurance", "Quality assurance"),
                            ("qualified-person", "Qualified Person"),
                            ("process-engineer", "Process engineer"),
                            ("system-administrator", "System administrator"),
                            ("auditor", "Auditor (read only)"),
                        ],
                        max_length=30,
                    ),
                ),
                ("since", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "procedure",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="curricula",
                        to="access.procedure",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "curricula",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None)),
                        fields=("role", "procedure"),
                        name="curriculum_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "role__in",
                                [
                                    "operator",
                                    "supervisor",
                                    "warehouse",
                                    "maintenance",
                                    "qc-analyst",
                                    "qc-supervisor",
                                    "quality-assurance",
                                    "qualified-person",
                                    "process-engineer",
                                    "system-administrator",
                                    "auditor",
                                ],
                            )
                        ),
                        name="curriculum_role_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ProcedureVersion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.PositiveIntegerField()),
                ("summary", models.TextField(help_text="What is new in this version.")),
                ("effective_from", models.DateTimeField()),
                (
                    "retrain_after_days",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="After how many days training has to be repeated.",
                        null=True,
                    ),
                ),
                (
                    "document_digest",
                    models.CharField(
                        blank=True,
                        help_text="SHA-256 of the document, an attachment of this record.",
                        max_length=64,
                    ),
                ),
                ("recorded_at", models.DateTimeField()),
                (
                    "procedure",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="versions",
                        to="access.procedure",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("procedure", "version"), name="procedure_version_once"
                    ),
                    models.UniqueConstraint(
                        fields=("procedure", "effective_from"),
                        name="procedure_one_version_a_moment",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("version__gte", 1)), name="procedure_version_from_one"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("document_digest", ""),
                            ("document_digest__regex", "^[0-9a-f]{64}$"),
                            _connector="OR",
                        ),
                        name="procedure_document_digest",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RoleAssignment",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("operator", "Operator"),
                            ("supervisor", "Supervisor"),
                            ("warehouse", "Warehouse"),
                            ("maintenance", "Maintenance and calibration"),
                            ("qc-analyst", "QC analyst"),
                            ("qc-supervisor", "QC supervisor"),
                            ("quality-assurance", "Quality assurance"),
                            ("qualified-person", "Qualified Person"),
                            ("process-engineer", "Process engineer"),
                            ("system-administrator", "System administrator"),
                            ("auditor", "Auditor (read only)"),
                        ],
                        max_length=30,
                    ),
                ),
                ("granted_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="role_assignments",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None)),
                        fields=("user", "role"),
                        name="role_held_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "role__in",
                                [
                                    "operator",
                                    "supervisor",
                                    "warehouse",
                                    "maintenance",
                                    "qc-analyst",
                                    "qc-supervisor",
                                    "quality-assurance",
                                    "qualified-person",
                                    "process-engineer",
                                    "system-administrator",
                                    "auditor",
                                ],
                            )
                        ),
                        name="role_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ended_at", None),
                            ("ended_at__gte", models.F("granted_at")),
                            _connector="OR",
                        ),
                        name="role_ends_after_grant",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SecurityAlarm",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("locked", "Name locked after wrong passwords"),
                            ("unknown-token", "Unknown device token"),
                            ("revoked-token", "Token of a revoked device"),
                            ("device-not-qualified", "Device not qualified"),
                            ("clock", "Clock stepped back or apart"),
                            ("repeated-refusals", "Many refused acts"),
                            ("administrator-made", "Administrator role given"),
                            ("leaver-active", "Leaver is still active"),
                            ("review-overdue", "Review of access is overdue"),
                            ("webhook-stopped", "Receiver of changes takes nothing"),
                        ],
                        max_length=30,
                    ),
                ),
                ("text", models.TextField()),
                ("about_id", models.CharField(max_length=100)),
                ("about", models.CharField(max_length=200)),
                ("caused_by_id", models.CharField(blank=True, max_length=100)),
                ("address", models.CharField(blank=True, max_length=64)),
                ("raised_at", models.DateTimeField(db_index=True)),
                ("key", models.CharField(max_length=64, unique=True)),
                ("acknowledged_role", models.CharField(blank=True, max_length=200)),
                ("acknowledged_at", models.DateTimeField(blank=True, null=True)),
                ("comment", models.TextField(blank=True)),
                (
                    "acknowledged_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("acknowledged_at", None)),
                        fields=["raised_at"],
                        name="alarm_waiting",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "kind__in",
                                [
                                    "locked",
                                    "unknown-token",
                                    "revoked-token",
                                    "device-not-qualified",
                                    "clock",
                                    "repeated-refusals",
                                    "administrator-made",
                                    "leaver-active",
                                    "review-overdue",
                                    "webhook-stopped",
                                ],
                            )
                        ),
                        name="alarm_kind_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("text", ""), _negated=True), name="alarm_says_what"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("acknowledged_at", None),
                                ("acknowledged_by", None),
                                ("acknowledged_role", ""),
                                ("comment", ""),
                            ),
                            models.Q(
                                ("acknowledged_at__isnull", False),
                                ("acknowledged_by__isnull", False),
                                models.Q(("acknowledged_role", ""), _negated=True),
                                ("comment__regex", "\\S.{6,}\\S"),
                            ),
                            _connector="OR",
                        ),
                        name="alarm_acknowledged_by_whom_and_why",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Training",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "method",
                    models.CharField(
                        choices=[
                            ("read", "Read and understood"),
                            ("classroom", "Class or talk"),
                            ("on-the-job", "On the job"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "assessment",
                    models.CharField(
                        choices=[("passed", "Passed"), ("failed", "Failed")], max_length=10
                    ),
                ),
                (
                    "remark",
                    models.TextField(
                        blank=True, help_text="How it was assessed, with what result."
                    ),
                ),
                ("trained_by_name", models.CharField(max_length=200)),
                ("trained_at", models.DateTimeField()),
                ("valid_until", models.DateField(blank=True, null=True)),
                ("recorded_at", models.DateTimeField()),
                ("acknowledged_at", models.DateTimeField(blank=True, null=True)),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="trainings",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "procedure_version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="trainings",
                        to="access.procedureversion",
                    ),
                ),
                (
                    "trained_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("trained_by", None),
                            models.Q(("trained_by", models.F("person")), _negated=True),
                            _connector="OR",
                        ),
                        name="trained_by_another",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("trained_by_name", ""), _negated=True),
                        name="training_names_trainer",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("method__in", ["read", "classroom", "on-the-job"])),
                        name="training_method_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("assessment__in", ["passed", "failed"])),
                        name="training_assessment_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("trained_at__lte", models.F("recorded_at"))),
                        name="training_before_its_record",
                    ),
                ],
            },
        ),
    ]
