import compliance.trail.fields
import django.db.models.deletion
from django.db import migrations, models

from compliance import migrating


class Migration(migrating.Tables):

    initial = True

    dependencies = [
        ('predictions', '0005_claimed_by'),
    ]

    operations = [
        migrations.CreateModel(
            name='Explanation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('requested', 'Requested'), ('claimed', 'Running'), ('explained', 'Explained'), ('nothing-to-explain', 'Nothing to explain'), ('not-explained', 'Could not be explained')], max_length=20)),
                ('requested_by', models.CharField(max_length=60)),
                ('requested_at', models.DateTimeField()),
                ('claimed_at', models.DateTimeField(blank=True, null=True)),
                ('claimed_by', models.CharField(blank=True, help_text='Worker: host, process and a number of the claim.', max_length=100)),
                ('attempts', models.PositiveSmallIntegerField(default=0, help_text='How often a worker took it; one that died counts.')),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
                ('seed', models.PositiveBigIntegerField()),
                ('input', models.TextField(blank=True, help_text='The question, as canonical JSON.')),
                ('input_digest', models.CharField(blank=True, max_length=64)),
                ('output', models.TextField(blank=True, help_text='The answer, as canonical JSON.')),
                ('output_digest', models.CharField(blank=True, max_length=64)),
                ('code_digest', models.CharField(blank=True, help_text="Of all twins' sources.", max_length=64)),
                ('environment', compliance.trail.fields.CanonicalJSONField(blank=True, default=dict)),
                ('refusal', models.CharField(blank=True, help_text='Code of the refusal when it could not be explained.', max_length=60)),
                ('problem', models.TextField(blank=True, help_text='Words of the refusal.')),
                ('is_trial', models.BooleanField(default=True, help_text='The version that raised the alarm was not qualified.')),
                ('verdict', models.CharField(blank=True, help_text='process, probe, normal, none or undecided', max_length=20)),
                ('likeliest', models.CharField(blank=True, help_text='The likeliest hypothesis.', max_length=100)),
                ('weight', models.CharField(blank=True, help_text='Its weight, 0 to 1.', max_length=30)),
                ('proposed', models.CharField(blank=True, help_text='Class of its impact: major, minor or undecided.', max_length=20)),
                ('alert', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='explanations', to='predictions.alert')),
                ('prediction', models.ForeignKey(help_text='What the twin saw, and which version of it.', on_delete=django.db.models.deletion.PROTECT, related_name='explanations', to='predictions.prediction')),
            ],
            options={
                'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'not-explained'), _negated=True), fields=('alert', 'prediction'), name='explanation_once_a_prediction'), models.CheckConstraint(condition=models.Q(models.Q(('state__in', ['explained', 'nothing-to-explain']), _negated=True), models.Q(models.Q(('input', ''), _negated=True), models.Q(('output', ''), _negated=True), models.Q(('code_digest', ''), _negated=True)), _connector='OR'), name='explanation_ended_with_answer'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'explained'), _negated=True), models.Q(models.Q(('verdict', ''), _negated=True), models.Q(('likeliest', ''), _negated=True), models.Q(('weight', ''), _negated=True)), _connector='OR'), name='explanation_explained_in_words'), models.CheckConstraint(condition=models.Q(models.Q(('problem__gt', ''), ('refusal__gt', ''), ('state', 'not-explained')), models.Q(models.Q(('state', 'not-explained'), _negated=True), ('problem', ''), ('refusal', '')), _connector='OR'), name='explanation_refused_in_words'), models.CheckConstraint(condition=models.Q(models.Q(('finished_at__isnull', False), ('state__in', ['explained', 'nothing-to-explain', 'not-explained'])), models.Q(models.Q(('state__in', ['explained', 'nothing-to-explain', 'not-explained']), _negated=True), ('finished_at__isnull', True)), _connector='OR'), name='explanation_ended_at_a_moment')],
            },
        ),
    ]
