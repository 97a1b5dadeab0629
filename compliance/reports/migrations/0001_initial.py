from django.db import migrations, models

from compliance import migrating


class Migration(migrating.Tables):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Report',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(max_length=40, unique=True)),
                ('kind', models.CharField(max_length=40)),
                ('subject', models.CharField(help_text='Number of the record reported on.', max_length=60)),
                ('state', models.CharField(choices=[('requested', 'Requested'), ('sealed', 'Sealed'), ('failed', 'Failed')], default='requested', max_length=10)),
                ('requested_by', models.CharField(max_length=60)),
                ('requested_at', models.DateTimeField()),
                ('sealed_at', models.DateTimeField(blank=True, null=True)),
                ('file_name', models.CharField(blank=True, max_length=120)),
                ('file_digest', models.CharField(blank=True, max_length=64)),
                ('record_digest', models.CharField(blank=True, max_length=64)),
                ('tree_size', models.BigIntegerField(blank=True, null=True)),
                ('pages', models.PositiveIntegerField(blank=True, null=True)),
                ('problem', models.TextField(blank=True)),
            ],
        ),
    ]
