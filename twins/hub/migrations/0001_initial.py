import compliance.trail.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='ModelVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=60)),
                ('code_digest', models.CharField(max_length=64)),
                ('parameters_digest', models.CharField(max_length=64)),
                ('intended_use', models.TextField()),
                ('valid_range', models.TextField()),
                ('declarations', compliance.trail.fields.CanonicalJSONField()),
                ('registered_at', models.DateTimeField()),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('name', 'code_digest', 'parameters_digest'), name='model_version_unique')],
            },
        ),
    ]
