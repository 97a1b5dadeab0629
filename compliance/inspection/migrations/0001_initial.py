import compliance.trail.fields
import django.db.models.deletion
from django.db import migrations, models

from compliance import migrating


class Migration(migrating.Tables):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Inspection',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(max_length=40, unique=True)),
                ('profile', models.CharField(choices=[('fda', 'FDA (21 CFR 11, 210, 211)'), ('eu', 'EU GMP (Annex 11 of 2011)')], max_length=10)),
                ('scope', compliance.trail.fields.CanonicalJSONField(help_text='Batch numbers; an empty list means every batch.')),
                ('state', models.CharField(choices=[('requested', 'Requested'), ('running', 'Running'), ('finished', 'Finished'), ('failed', 'Failed')], default='requested', max_length=10)),
                ('requested_by', models.CharField(max_length=60)),
                ('requested_at', models.DateTimeField()),
                ('as_of', models.DateTimeField(blank=True, null=True)),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
                ('tree_size', models.BigIntegerField(blank=True, null=True)),
                ('last_entry', models.BigIntegerField(blank=True, null=True)),
                ('snapshot_digest', models.CharField(blank=True, max_length=64)),
                ('rule_pack', models.CharField(blank=True, help_text='Name, version and digest.', max_length=120)),
                ('grade', models.CharField(blank=True, help_text='TGA scale: A1, A2, A3, Unacceptable.', max_length=20)),
                ('checks_assessed', models.PositiveIntegerField(default=0)),
                ('checks_total', models.PositiveIntegerField(default=0)),
                ('summary', models.TextField(blank=True)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['requested', 'running', 'finished', 'failed'])), name='inspection_state_known'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'finished'), _negated=True), models.Q(('finished_at__isnull', False), ('as_of__isnull', False), ('tree_size__isnull', False), models.Q(('snapshot_digest', ''), _negated=True), models.Q(('rule_pack', ''), _negated=True), models.Q(('grade', ''), _negated=True)), _connector='OR'), name='inspection_finished_says_what_it_read')],
            },
        ),
        migrations.CreateModel(
            name='CheckResult',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('check_id', models.CharField(max_length=10)),
                ('order', models.PositiveIntegerField()),
                ('verdict', models.CharField(choices=[('finding', 'Finding'), ('clean', 'Clean'), ('not-assessable', 'Not assessable'), ('not-applicable', 'Not applicable')], max_length=20)),
                ('finding_class', models.CharField(blank=True, choices=[('critical', 'Critical'), ('major', 'Major'), ('other', 'Other')], max_length=10)),
                ('class_reason', models.TextField(blank=True)),
                ('title', models.CharField(max_length=200)),
                ('clauses', compliance.trail.fields.CanonicalJSONField(blank=True, default=list)),
                ('alcoa', compliance.trail.fields.CanonicalJSONField(blank=True, default=list, help_text='ALCOA++ attributes concerned.')),
                ('text', models.TextField(blank=True, help_text='In the words of an inspector.')),
                ('examined', models.PositiveIntegerField(default=0)),
                ('failing', models.PositiveIntegerField(default=0)),
                ('evidence', compliance.trail.fields.CanonicalJSONField(blank=True, default=list)),
                ('question', models.TextField(blank=True)),
                ('investigation_scope', models.TextField(blank=True, help_text='What the site should look at.')),
                ('inspection', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='results', to='inspection.inspection')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('inspection', 'order'), name='result_order_unique'), models.UniqueConstraint(fields=('inspection', 'check_id'), name='result_check_once'), models.CheckConstraint(condition=models.Q(('verdict__in', ['finding', 'clean', 'not-assessable', 'not-applicable'])), name='result_verdict_known'), models.CheckConstraint(condition=models.Q(models.Q(('verdict', 'finding'), models.Q(('finding_class', ''), _negated=True), models.Q(('text', ''), _negated=True), ('failing__gt', 0)), models.Q(models.Q(('verdict', 'finding'), _negated=True), ('finding_class', ''), ('failing', 0)), _connector='OR'), name='result_finding_is_classed')],
            },
        ),
    ]
