import compliance.trail.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from compliance import migrating


class Migration(migrating.Tables):

    initial = True

    dependencies = [
        ('access', '__first__'),
        ('execution', '0001_initial'),
        ('signatures', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='BatchReview',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('content_digest', models.CharField(help_text='SHA-256 of what was reviewed.', max_length=64)),
                ('tree_size', models.BigIntegerField(help_text='Entries of the trail that were sealed then.')),
                ('counts', compliance.trail.fields.CanonicalJSONField(help_text='For each section: how many records, how many exceptions.')),
                ('remarks', models.TextField()),
                ('reviewed_at', models.DateTimeField()),
                ('batch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reviews', to='execution.batch')),
                ('signature', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='signatures.signature')),
            ],
        ),
        migrations.CreateModel(
            name='Decision',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('outcome', models.CharField(choices=[('released', 'Released'), ('confirmed', 'Release confirmed'), ('rejected', 'Rejected'), ('held', 'Put on hold'), ('lifted', 'Hold lifted'), ('rework', 'Rework ordered'), ('reworked', 'Rework ended'), ('recalled', 'Recalled')], max_length=10)),
                ('reason', models.TextField()),
                ('reference', models.CharField(blank=True, help_text='Of the order of a rework, or of a recall.', max_length=100)),
                ('expires_on', models.DateField(blank=True, help_text='Of a released batch: from here its retention counts.', null=True)),
                ('decided_at', models.DateTimeField()),
                ('batch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='decisions', to='execution.batch')),
                ('review', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='decisions', to='disposition.batchreview')),
                ('signature', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='signatures.signature')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('outcome__in', ['released', 'confirmed', 'rejected', 'held', 'lifted', 'rework', 'reworked', 'recalled'])), name='decision_outcome_known'), models.CheckConstraint(condition=models.Q(models.Q(('outcome__in', ('released', 'confirmed')), _negated=True), ('review__isnull', False), _connector='OR'), name='decision_release_needs_review'), models.CheckConstraint(condition=models.Q(models.Q(('outcome', 'rework'), _negated=True), models.Q(('reference', ''), _negated=True), _connector='OR'), name='decision_rework_needs_order')],
            },
        ),
        migrations.CreateModel(
            name='Certificate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('serial', models.PositiveIntegerField(help_text='Running, without gaps.', unique=True)),
                ('number', models.CharField(max_length=20, unique=True)),
                ('statement', models.TextField()),
                ('deviations', compliance.trail.fields.CanonicalJSONField(blank=True, default=list, help_text='Certified with them: number, conclusion, impact.')),
                ('assessment', models.TextField(blank=True, help_text='Of unexpected deviations: why they do not harm (Annex 16, 3).')),
                ('certified_at', models.DateTimeField()),
                ('batch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='certificates', to='execution.batch')),
                ('signature', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='signatures.signature')),
                ('decision', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='certificates', to='disposition.decision')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('deviations', []), models.Q(('assessment', ''), _negated=True), _connector='OR'), name='certificate_assesses_deviations')],
            },
        ),
        migrations.CreateModel(
            name='Shipment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(max_length=20, unique=True)),
                ('market', models.CharField(choices=[('eu', 'European Union and EEA'), ('us', 'United States'), ('other', 'Another country')], max_length=10)),
                ('consignee', models.CharField(max_length=200)),
                ('quantity', models.DecimalField(decimal_places=6, max_digits=18)),
                ('unit', models.CharField(max_length=30)),
                ('shipped_at', models.DateTimeField()),
                ('recorded_at', models.DateTimeField()),
                ('batch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='shipments', to='execution.batch')),
                ('certificate', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='shipments', to='disposition.certificate')),
                ('decision', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='shipments', to='disposition.decision')),
                ('recorded_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('market__in', ['eu', 'us', 'other'])), name='shipment_market_known'), models.CheckConstraint(condition=models.Q(models.Q(('market', 'eu'), _negated=True), ('certificate__isnull', False), _connector='OR'), name='shipment_to_eu_is_certified'), models.CheckConstraint(condition=models.Q(('quantity__gt', 0)), name='shipment_has_quantity')],
            },
        ),
    ]
