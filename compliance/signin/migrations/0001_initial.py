import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from compliance import migrating


class Migration(migrating.Tables):

    initial = True

    dependencies = [
        ('access', '__first__'),
    ]

    operations = [
        migrations.CreateModel(
            name='SecondFactor',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('totp', 'Authenticator app'), ('security-key', 'Security key'), ('recovery-codes', 'Recovery codes')], max_length=20)),
                ('name', models.CharField(help_text='As its owner calls it.', max_length=100)),
                ('secret', models.TextField(blank=True)),
                ('credential_id', models.TextField(blank=True, help_text='Of a security key, as hex.')),
                ('public_key', models.TextField(blank=True, help_text='COSE key of a security key, as hex.')),
                ('model_id', models.CharField(blank=True, help_text='AAGUID: which model of security key it is.', max_length=36)),
                ('enrolled_at', models.DateTimeField()),
                ('tested_at', models.DateTimeField(help_text='When it gave its first right answer.')),
                ('removed_at', models.DateTimeField(blank=True, null=True)),
                ('removed_by', models.CharField(blank=True, max_length=200)),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='second_factors', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('kind', 'security-key'), models.Q(('credential_id', ''), _negated=True), models.Q(('public_key', ''), _negated=True)), models.Q(('kind__in', ['totp', 'recovery-codes']), models.Q(('secret', ''), _negated=True)), _connector='OR'), name='factor_has_what_its_kind_needs'), models.CheckConstraint(condition=models.Q(('tested_at__gte', models.F('enrolled_at'))), name='factor_tested_when_enrolled'), models.CheckConstraint(condition=models.Q(models.Q(('removed_at', None), ('removed_by', '')), models.Q(('removed_at__gte', models.F('enrolled_at')), models.Q(('removed_by', ''), _negated=True)), _connector='OR'), name='factor_removed_by_somebody'), models.UniqueConstraint(condition=models.Q(('credential_id', ''), _negated=True), fields=('credential_id',), name='security_key_once'), models.UniqueConstraint(condition=models.Q(('kind__in', ['totp', 'recovery-codes']), ('removed_at', None)), fields=('person', 'kind'), name='one_app_and_one_set_of_codes')],
            },
        ),
        migrations.CreateModel(
            name='FactorUse',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('answer', models.CharField(help_text='Time step, or digest of the recovery code or challenge.', max_length=64)),
                ('counter', models.BigIntegerField(default=0, help_text='Of the security key, when it counts.')),
                ('address', models.CharField(blank=True, max_length=64)),
                ('used_at', models.DateTimeField(db_index=True)),
                ('factor', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='uses', to='signin.secondfactor')),
            ],
            options={
                'verbose_name': 'use of a second factor',
                'verbose_name_plural': 'uses of second factors',
                'constraints': [models.UniqueConstraint(fields=('factor', 'answer'), name='no_answer_twice')],
            },
        ),
        migrations.CreateModel(
            name='IdentityLink',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('provider', models.CharField(help_text="As the installation's settings name it.", max_length=200)),
                ('subject', models.CharField(help_text="The provider's own, lasting identifier.", max_length=200)),
                ('linked_at', models.DateTimeField()),
                ('linked_by', models.CharField(max_length=200)),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='identity_links', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(condition=models.Q(('ended_at', None)), fields=('provider', 'subject'), name='identity_linked_once'), models.CheckConstraint(condition=models.Q(('ended_at', None), ('ended_at__gte', models.F('linked_at')), _connector='OR'), name='link_ends_after_it_began'), models.CheckConstraint(condition=models.Q(models.Q(('provider', ''), _negated=True), models.Q(('subject', ''), _negated=True)), name='link_names_an_identity')],
            },
        ),
    ]
