from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='ClientCount',
            fields=[
                ('client', models.CharField(max_length=120, primary_key=True, serialize=False)),
                ('minute', models.BigIntegerField()),
                ('count', models.BigIntegerField()),
            ],
        ),
        # A counter is worth nothing after a crash, and must not cost a flush of the disk a request.
        migrations.RunSQL(
            'ALTER TABLE api_contract_clientcount SET UNLOGGED',
            'ALTER TABLE api_contract_clientcount SET LOGGED',
        ),
    ]
