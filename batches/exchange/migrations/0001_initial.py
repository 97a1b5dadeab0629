from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Receipt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sender', models.CharField(help_text='Identity of the device or person, as in the trail.', max_length=60)),
                ('sender_name', models.CharField(max_length=60)),
                ('idempotency_key', models.CharField(max_length=120)),
                ('method', models.CharField(max_length=8)),
                ('path', models.CharField(max_length=300)),
                ('request_digest', models.CharField(help_text='SHA-256 of the posted bytes.', max_length=64)),
                ('status', models.PositiveSmallIntegerField()),
                ('answer', models.TextField()),
                ('act', models.CharField(help_text='The act in the trail that made the change.', max_length=36)),
                ('recorded_at', models.DateTimeField()),
            ],
            options={
                'indexes': [models.Index(fields=['idempotency_key'], name='exchange_re_idempot_dba5a3_idx')],
                'constraints': [models.UniqueConstraint(fields=('sender', 'method', 'path', 'idempotency_key'), name='receipt_once')],
            },
        ),
    ]
