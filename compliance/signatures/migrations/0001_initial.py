import compliance.trail.fields
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
            name='Reauthentication',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('means', models.CharField(choices=[('password', 'Name and password'), ('security-key', 'Security key, over the digest of the record'), ('identity-provider', 'Identity provider, signed in anew')], max_length=20)),
                ('code_digest', models.CharField(help_text='SHA-256 of the code.', max_length=64, unique=True)),
                ('made_at', models.DateTimeField()),
                ('address', models.CharField(blank=True, max_length=64)),
                ('record', models.CharField(blank=True, max_length=63)),
                ('record_id', models.CharField(blank=True, max_length=60)),
                ('record_digest', models.CharField(blank=True, max_length=64)),
                ('meaning', models.CharField(blank=True, choices=[('authored', 'Author'), ('reviewed', 'Review'), ('investigated', 'Investigation'), ('approved', 'Approval'), ('closed', 'Closure'), ('released', 'Release'), ('rejected', 'Rejection'), ('performed', 'Performance'), ('verified', 'Verification'), ('certified', 'Certification'), ('acknowledged', 'Acknowledgement')], max_length=20)),
                ('asked_at', models.DateTimeField(blank=True, null=True)),
                ('nonce', models.CharField(blank=True, max_length=64)),
                ('domain', models.CharField(blank=True, help_text='That the key is bound to.', max_length=200)),
                ('credential_id', models.TextField(blank=True)),
                ('public_key', models.TextField(blank=True, help_text='COSE key.')),
                ('authenticator_data', models.TextField(blank=True)),
                ('client_data', models.TextField(blank=True)),
                ('answer', models.TextField(blank=True, help_text="The security key's signature.")),
                ('issuer', models.CharField(blank=True, max_length=200)),
                ('subject', models.CharField(blank=True, max_length=200)),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('means', 'security-key'), models.Q(('record', ''), _negated=True), models.Q(('record_id', ''), _negated=True), models.Q(('record_digest', ''), _negated=True), models.Q(('meaning', ''), _negated=True), models.Q(('nonce', ''), _negated=True), models.Q(('credential_id', ''), _negated=True), models.Q(('answer', ''), _negated=True), models.Q(('asked_at', None), _negated=True)), models.Q(('means', 'identity-provider'), models.Q(('issuer', ''), _negated=True), models.Q(('subject', ''), _negated=True)), _connector='OR'), name='reauthentication_is_whole')],
            },
        ),
        migrations.CreateModel(
            name='Signature',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('record', models.CharField(help_text='Table of the signed record.', max_length=63)),
                ('record_id', models.CharField(max_length=60)),
                ('record_digest', models.CharField(help_text='SHA-256 of the signed content.', max_length=64)),
                ('content_parts', compliance.trail.fields.CanonicalJSONField(default=dict, help_text='SHA-256 of each part of the signed content; the digest is of these.')),
                ('meaning', models.CharField(choices=[('authored', 'Author'), ('reviewed', 'Review'), ('investigated', 'Investigation'), ('approved', 'Approval'), ('closed', 'Closure'), ('released', 'Release'), ('rejected', 'Rejection'), ('performed', 'Performance'), ('verified', 'Verification'), ('certified', 'Certification'), ('acknowledged', 'Acknowledgement')], max_length=20)),
                ('printed_name', models.CharField(max_length=200)),
                ('username', models.CharField(max_length=60)),
                ('role', models.CharField(max_length=120)),
                ('comment', models.TextField(blank=True)),
                ('signed_at', models.DateTimeField()),
                ('zone', models.CharField(default='UTC', help_text="Zone of the site's clocks.", max_length=64)),
                ('means', models.CharField(choices=[('password', 'Name and password'), ('security-key', 'Security key, over the digest of the record'), ('identity-provider', 'Identity provider, signed in anew')], default='password', max_length=20)),
                ('confirmation', models.CharField(blank=True, help_text='Names the one re-authentication that it was given with.', max_length=32)),
                ('binding', models.CharField(blank=True, help_text='SHA-256 over all of the above; see `binding`.', max_length=64)),
                ('reauthentication', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='signature', to='signatures.reauthentication')),
                ('signer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='signatures', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(fields=['record', 'record_id'], name='signatures__record_ddcd98_idx')],
                'constraints': [models.CheckConstraint(condition=models.Q(('record_digest__regex', '^[0-9a-f]{64}$')), name='signature_digest_is_sha256'), models.CheckConstraint(condition=models.Q(('meaning__in', ['authored', 'reviewed', 'investigated', 'approved', 'closed', 'released', 'rejected', 'performed', 'verified', 'certified', 'acknowledged'])), name='signature_meaning_known'), models.CheckConstraint(condition=models.Q(models.Q(('means', 'password'), ('reauthentication', None)), models.Q(models.Q(('means', 'password'), _negated=True), ('means__in', ['password', 'security-key', 'identity-provider']), models.Q(('reauthentication', None), _negated=True)), _connector='OR'), name='signature_means_known'), models.UniqueConstraint(condition=models.Q(('confirmation', ''), _negated=True), fields=('confirmation',), name='one_signature_a_confirmation')],
            },
        ),
        migrations.CreateModel(
            name='Statement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.PositiveIntegerField(unique=True)),
                ('text', models.TextField()),
                ('drafted_at', models.DateTimeField()),
                ('effective_at', models.DateTimeField(blank=True, null=True)),
                ('drafted_by', models.ForeignKey(blank=True, help_text='Nobody for the first version, which comes with the product.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'accountability statement',
                'constraints': [models.CheckConstraint(condition=models.Q(('text', ''), _negated=True), name='statement_says_something')],
            },
        ),
    ]
