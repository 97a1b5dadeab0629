import compliance.trail.fields
import django.db.models.constraints
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from compliance import migrating


class Migration(migrating.Tables):

    initial = True

    dependencies = [
        ('access', '0001_initial'),
        ('access', '__first__'),
        ('assets', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Product',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=40, unique=True)),
                ('name', models.CharField(max_length=200)),
                ('strength', models.CharField(blank=True, help_text='E.g. 50 mg per vial.', max_length=100)),
                ('dosage_form', models.CharField(blank=True, max_length=100)),
                ('shelf_life_months', models.PositiveSmallIntegerField(blank=True, help_text='As registered; expiry and retention are counted from it.', null=True)),
                ('markets', compliance.trail.fields.CanonicalJSONField(blank=True, default=list, help_text='ISO 3166-1 codes of the markets it is registered in.')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('shelf_life_months', None), ('shelf_life_months__gt', 0), _connector='OR'), name='product_shelf_life_positive')],
            },
        ),
        migrations.CreateModel(
            name='MasterRecipe',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.PositiveIntegerField()),
                ('title', models.CharField(max_length=200)),
                ('state', models.CharField(choices=[('draft', 'Draft'), ('in-review', 'In review'), ('approved', 'Approved'), ('effective', 'Effective'), ('superseded', 'Superseded'), ('withdrawn', 'Withdrawn')], default='draft', max_length=12)),
                ('change_number', models.CharField(blank=True, help_text='Of the change control record that asks for it.', max_length=40)),
                ('change_summary', models.TextField(blank=True, help_text='What is changed, and why.')),
                ('drafted_at', models.DateTimeField(blank=True, null=True)),
                ('revised_at', models.DateTimeField(blank=True, help_text='When its author last wrote in it, lines included.', null=True)),
                ('submitted_at', models.DateTimeField(blank=True, null=True)),
                ('reviewed_at', models.DateTimeField(blank=True, null=True)),
                ('approved_at', models.DateTimeField(blank=True, null=True)),
                ('effective_on', models.DateField(blank=True, help_text='The day (UTC) from which it is to be followed.', null=True)),
                ('effective_at', models.DateTimeField(blank=True, null=True)),
                ('ended_at', models.DateTimeField(blank=True, help_text='When it was superseded or withdrawn.', null=True)),
                ('product_name', models.CharField(blank=True, max_length=200)),
                ('strength', models.CharField(blank=True, max_length=100)),
                ('dosage_form', models.CharField(blank=True, max_length=100)),
                ('shelf_life_months', models.PositiveSmallIntegerField(blank=True, null=True)),
                ('dosage_unit', models.CharField(blank=True, help_text='A dosage unit with its total weight or measure.', max_length=200)),
                ('batch_size', models.DecimalField(blank=True, decimal_places=6, max_digits=20, null=True)),
                ('batch_size_unit', models.CharField(blank=True, help_text='UCUM code.', max_length=30)),
                ('specification', models.CharField(blank=True, help_text="Code of the product's specification.", max_length=60)),
                ('specification_version', models.CharField(blank=True, max_length=20)),
                ('storage', models.CharField(blank=True, max_length=200)),
                ('precautions', models.TextField(blank=True, help_text='Special notations to be followed.')),
                ('twin', models.CharField(blank=True, max_length=60)),
                ('twin_settings', compliance.trail.fields.CanonicalJSONField(blank=True, default=dict)),
                ('content_form', models.PositiveSmallIntegerField(default=2)),
                ('author', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('based_on', models.ForeignKey(blank=True, help_text='The version that it was copied from.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='recipes.masterrecipe')),
                ('checker', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('reviewer', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('product', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='recipes', to='recipes.product')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('product', 'version'), name='recipe_version_unique'), models.UniqueConstraint(condition=models.Q(('state', 'effective')), fields=('product',), name='one_effective_recipe'), models.CheckConstraint(condition=models.Q(('state__in', ['draft', 'in-review', 'approved', 'effective', 'superseded', 'withdrawn'])), name='recipe_state_known'), models.CheckConstraint(condition=models.Q(('checker', None), models.Q(('checker', models.F('author')), _negated=True), _connector='OR'), name='recipe_checked_by_another_person'), models.CheckConstraint(condition=models.Q(('reviewer', None), models.Q(('reviewer', models.F('author')), _negated=True), _connector='OR'), name='recipe_reviewed_by_another_person'), models.CheckConstraint(condition=models.Q(('reviewer', None), ('checker', None), models.Q(('checker', models.F('reviewer')), _negated=True), _connector='OR'), name='recipe_checker_is_not_reviewer'), models.CheckConstraint(condition=models.Q(('state__in', ['draft', 'in-review', 'withdrawn']), ('checker__isnull', False), _connector='OR'), name='recipe_followed_only_checked'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'approved'), _negated=True), ('effective_on__isnull', False), _connector='OR'), name='recipe_approved_has_its_day'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'effective'), _negated=True), ('effective_at__isnull', False), _connector='OR'), name='recipe_effective_has_its_moment'), models.CheckConstraint(condition=models.Q(('batch_size', None), ('batch_size__gt', 0), _connector='OR'), name='recipe_batch_size_positive')],
            },
        ),
        migrations.CreateModel(
            name='RecipePhase',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('order', models.PositiveIntegerField()),
                ('unit_procedure', models.CharField(max_length=100)),
                ('operation', models.CharField(blank=True, max_length=100)),
                ('name', models.CharField(max_length=100)),
                ('instruction', models.TextField(blank=True)),
                ('duration_min', models.PositiveIntegerField(blank=True, help_text='Expected duration in minutes.', null=True)),
                ('hold_limit_min', models.PositiveIntegerField(blank=True, help_text='Longest time in minutes between its end and the start of the next phase.', null=True)),
                ('needs_verification', models.BooleanField(default=False, help_text='A second person verifies it (21 CFR 211.188(b)(11)).')),
                ('equipment_kind', models.CharField(blank=True, max_length=60)),
                ('parallel_group', models.CharField(blank=True, help_text='Neighbours of one group run in any order, or side by side.', max_length=40)),
                ('procedure', models.ForeignKey(blank=True, help_text='Whoever performs or verifies is trained in its effective version.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.procedure')),
                ('recipe', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='phases', to='recipes.masterrecipe')),
            ],
            options={
                'constraints': [models.UniqueConstraint(deferrable=django.db.models.constraints.Deferrable['DEFERRED'], fields=('recipe', 'order'), name='phase_order_unique'), models.UniqueConstraint(fields=('recipe', 'unit_procedure', 'name'), name='phase_name_unique')],
            },
        ),
        migrations.CreateModel(
            name='Parameter',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('tag', models.CharField(help_text='As the source systems post it.', max_length=60)),
                ('name', models.CharField(max_length=100)),
                ('kind', models.CharField(choices=[('reading', 'On-line reading'), ('result', 'Laboratory result'), ('in-process', 'In-process control')], max_length=10)),
                ('unit', models.CharField(help_text='UCUM code.', max_length=30)),
                ('criticality', models.CharField(choices=[('cpp', 'Critical process parameter'), ('cqa', 'Critical quality attribute'), ('other', 'Not critical')], max_length=6)),
                ('low', models.DecimalField(blank=True, decimal_places=6, max_digits=20, null=True)),
                ('high', models.DecimalField(blank=True, decimal_places=6, max_digits=20, null=True)),
                ('target', models.DecimalField(blank=True, decimal_places=6, max_digits=20, null=True)),
                ('proven_low', models.DecimalField(blank=True, decimal_places=6, max_digits=20, null=True)),
                ('proven_high', models.DecimalField(blank=True, decimal_places=6, max_digits=20, null=True)),
                ('alert_low', models.DecimalField(blank=True, decimal_places=6, max_digits=20, null=True)),
                ('alert_high', models.DecimalField(blank=True, decimal_places=6, max_digits=20, null=True)),
                ('action_low', models.DecimalField(blank=True, decimal_places=6, max_digits=20, null=True)),
                ('action_high', models.DecimalField(blank=True, decimal_places=6, max_digits=20, null=True)),
                ('is_required', models.BooleanField(default=False, help_text='A batch is not released without a value of it.')),
                ('recipe', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='parameters', to='recipes.masterrecipe')),
                ('phase', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='parameters', to='recipes.recipephase')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('recipe', 'tag'), name='parameter_tag_unique'), models.CheckConstraint(condition=models.Q(('kind__in', ['reading', 'result', 'in-process'])), name='parameter_kind_known'), models.CheckConstraint(condition=models.Q(('low', None), ('high', None), ('low__lte', models.F('high')), _connector='OR'), name='limits_low_not_above_high'), models.CheckConstraint(condition=models.Q(models.Q(('low', None), ('target', None), ('low__lte', models.F('target')), _connector='OR'), models.Q(('target', None), ('high', None), ('target__lte', models.F('high')), _connector='OR')), name='target_within_limits'), models.CheckConstraint(condition=models.Q(models.Q(('proven_low', None), models.Q(('low__gte', models.F('proven_low')), ('low__isnull', False)), _connector='OR'), models.Q(('proven_high', None), models.Q(('high__isnull', False), ('high__lte', models.F('proven_high'))), _connector='OR'), models.Q(('proven_low', None), ('proven_high', None), ('proven_low__lte', models.F('proven_high')), _connector='OR')), name='normal_range_within_proven'), models.CheckConstraint(condition=models.Q(models.Q(('action_low', None), ('alert_low', None), ('action_low__lte', models.F('alert_low')), _connector='OR'), models.Q(('alert_low', None), ('alert_high', None), ('alert_low__lte', models.F('alert_high')), _connector='OR'), models.Q(('alert_high', None), ('action_high', None), ('alert_high__lte', models.F('action_high')), _connector='OR'), models.Q(('action_low', None), ('action_high', None), ('action_low__lte', models.F('action_high')), _connector='OR')), name='alert_limits_within_action_limits'), models.CheckConstraint(condition=models.Q(models.Q(('proven_low', None), ('action_low', None), ('proven_low__lte', models.F('action_low')), _connector='OR'), models.Q(('action_high', None), ('proven_high', None), ('action_high__lte', models.F('proven_high')), _connector='OR')), name='action_limits_within_proven')],
            },
        ),
        migrations.CreateModel(
            name='MaterialRequirement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('line', models.PositiveIntegerField()),
                ('kind', models.CharField(choices=[('active', 'Active ingredient'), ('component', 'Other component'), ('aid', 'Processing aid'), ('packaging', 'Container, closure or packaging')], max_length=10)),
                ('quantity', models.DecimalField(decimal_places=6, max_digits=20)),
                ('unit', models.CharField(help_text='UCUM code.', max_length=30)),
                ('tolerance_low_pct', models.DecimalField(decimal_places=3, default=0, help_text='How far below, in percent.', max_digits=6)),
                ('tolerance_high_pct', models.DecimalField(decimal_places=3, default=0, help_text='How far above, in percent.', max_digits=6)),
                ('excess_pct', models.DecimalField(decimal_places=3, default=0, help_text='Calculated excess, in the quantity.', max_digits=6)),
                ('is_potency_adjusted', models.BooleanField(default=False, help_text='The quantity is adjusted to the assay of the lot.')),
                ('amount_per_dosage_unit', models.CharField(blank=True, help_text='Of an active ingredient: 21 CFR 211.186(b)(2).', max_length=100)),
                ('material', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='assets.material')),
                ('recipe', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='materials', to='recipes.masterrecipe')),
                ('phase', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='materials', to='recipes.recipephase')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('recipe', 'line'), name='material_line_unique'), models.CheckConstraint(condition=models.Q(('kind__in', ['active', 'component', 'aid', 'packaging'])), name='material_requirement_kind_known'), models.CheckConstraint(condition=models.Q(('quantity__gt', 0)), name='material_quantity_positive'), models.CheckConstraint(condition=models.Q(('excess_pct__gte', 0), ('tolerance_high_pct__gte', 0), ('tolerance_low_pct__gte', 0), ('tolerance_low_pct__lte', 100)), name='material_tolerances_not_negative')],
            },
        ),
        migrations.CreateModel(
            name='LabelRequirement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=60)),
                ('version', models.CharField(max_length=20)),
                ('description', models.CharField(blank=True, max_length=300)),
                ('specimen_digest', models.CharField(blank=True, help_text='SHA-256 of the approved specimen (211.186(b)(8)).', max_length=64)),
                ('recipe', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='labels', to='recipes.masterrecipe')),
                ('phase', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='labels', to='recipes.recipephase')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('recipe', 'code'), name='label_code_unique'), models.CheckConstraint(condition=models.Q(('specimen_digest', ''), ('specimen_digest__regex', '^[0-9a-f]{64}$'), _connector='OR'), name='label_specimen_is_sha256')],
            },
        ),
        migrations.CreateModel(
            name='ExpectedYield',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('quantity', models.DecimalField(decimal_places=6, max_digits=20)),
                ('unit', models.CharField(help_text='UCUM code.', max_length=30)),
                ('low_pct', models.DecimalField(decimal_places=3, max_digits=6)),
                ('high_pct', models.DecimalField(decimal_places=3, max_digits=6)),
                ('recipe', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='yields', to='recipes.masterrecipe')),
                ('phase', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='yields', to='recipes.recipephase')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('recipe', 'phase'), name='yield_once_a_phase'), models.CheckConstraint(condition=models.Q(('quantity__gt', 0)), name='yield_quantity_positive'), models.CheckConstraint(condition=models.Q(('low_pct__gte', 0), ('low_pct__lte', models.F('high_pct'))), name='yield_limits_in_order')],
            },
        ),
        migrations.CreateModel(
            name='EquipmentRequirement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=100)),
                ('kind', models.CharField(help_text='As equipment is registered.', max_length=60)),
                ('requirement', models.CharField(blank=True, help_text='Size, range, material.', max_length=300)),
                ('recipe', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='equipment', to='recipes.masterrecipe')),
                ('phase', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='equipment', to='recipes.recipephase')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('recipe', 'name'), name='equipment_name_unique')],
            },
        ),
        migrations.CreateModel(
            name='SamplingPoint',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=100)),
                ('count', models.PositiveIntegerField(default=1, help_text='How many samples.')),
                ('timing', models.CharField(help_text='When they are drawn.', max_length=200)),
                ('quantity', models.DecimalField(blank=True, decimal_places=6, max_digits=20, null=True)),
                ('unit', models.CharField(blank=True, help_text='UCUM code.', max_length=30)),
                ('specification', models.CharField(blank=True, help_text='Its code.', max_length=60)),
                ('specification_version', models.CharField(blank=True, max_length=20)),
                ('tests', compliance.trail.fields.CanonicalJSONField(blank=True, default=list, help_text='Names of the tests.')),
                ('phase', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='sampling', to='recipes.recipephase')),
                ('recipe', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='sampling', to='recipes.masterrecipe')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('recipe', 'name'), name='sampling_name_unique'), models.CheckConstraint(condition=models.Q(('count__gt', 0)), name='sampling_count_positive')],
            },
        ),
    ]
