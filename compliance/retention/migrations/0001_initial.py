import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from compliance import migrating


class Migration(migrating.Tables):

    initial = True

    dependencies = [
        ('access', '__first__'),
        ('signatures', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='LegalHold',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(max_length=20, unique=True)),
                ('title', models.CharField(max_length=200)),
                ('reason', models.TextField()),
                ('state', models.CharField(choices=[('requested', 'Requested, in force'), ('placed', 'Placed'), ('lift-requested', 'Lift requested, in force'), ('lifted', 'Lifted')], default='requested', max_length=14)),
                ('requested_at', models.DateTimeField()),
                ('lift_reason', models.TextField(blank=True)),
                ('lift_requested_at', models.DateTimeField(blank=True, null=True)),
                ('lift_requested_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('lift_signature', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='signatures.signature')),
                ('placed_signature', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='signatures.signature')),
                ('requested_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['requested', 'placed', 'lift-requested', 'lifted'])), name='legal_hold_state_known'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'lifted'), _negated=True), models.Q(('lift_requested_by__isnull', False), ('lift_signature__isnull', False), models.Q(('lift_reason', ''), _negated=True)), _connector='OR'), name='legal_hold_lift_is_signed')],
            },
        ),
        migrations.CreateModel(
            name='HeldRecord',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=40)),
                ('subject', models.CharField(max_length=120)),
                ('hold', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='held', to='retention.legalhold')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('hold', 'kind', 'subject'), name='held_record_once')],
            },
        ),
        migrations.CreateModel(
            name='RetentionPolicy',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.PositiveIntegerField(unique=True)),
                ('state', models.CharField(choices=[('draft', 'Draft'), ('effective', 'Effective'), ('superseded', 'Superseded')], default='draft', max_length=12)),
                ('summary', models.TextField(help_text='What it changes, and why.')),
                ('drafted_at', models.DateTimeField()),
                ('effective_at', models.DateTimeField(blank=True, null=True)),
                ('approver', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('author', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name_plural': 'retention policies',
                'constraints': [models.CheckConstraint(condition=models.Q(('approver', None), models.Q(('approver', models.F('author')), _negated=True), _connector='OR'), name='retention_author_is_not_approver'), models.CheckConstraint(condition=models.Q(('state', 'draft'), models.Q(('approver__isnull', False), ('effective_at__isnull', False)), _connector='OR'), name='retention_policy_is_approved'), models.UniqueConstraint(condition=models.Q(('state', 'effective')), fields=('state',), name='retention_one_policy_is_effective')],
            },
        ),
        migrations.CreateModel(
            name='RetentionRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=40)),
                ('anchor', models.CharField(max_length=40)),
                ('years', models.PositiveIntegerField()),
                ('months', models.PositiveIntegerField(default=0)),
                ('basis', models.CharField(help_text='Why: a contract, a law, a rule of the site.', max_length=200)),
                ('policy', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='rules', to='retention.retentionpolicy')),
            ],
        ),
    ]
