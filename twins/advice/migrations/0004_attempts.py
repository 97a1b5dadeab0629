"""Count the workers that took a request, so that what kills them ends; nothing is advised unasked.

What failed may be asked for again.
"""

from importlib import import_module

from django.db import migrations, models

KEEP = import_module("twins.advice.migrations.0003_claimed_by").KEEP
OF_CLAIM = " 'claimed_by',"

ASKED = """
CREATE FUNCTION public.advice_begin_proposal() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.state <> 'requested' THEN
        RAISE EXCEPTION 'a proposal begins as a request' USING ERRCODE = 'GM002';
    END IF;
    PERFORM 1 FROM public.predictions_alert a
        JOIN public.predictions_prediction p ON p.batch_id = a.batch_id
        WHERE a.id = NEW.alert_id AND p.id = NEW.prediction_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'prediction % is not of the batch of alert %',
            NEW.prediction_id, NEW.alert_id USING ERRCODE = 'GM002';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER a_proposal_asked BEFORE INSERT ON public.advice_proposal
    FOR EACH ROW EXECUTE FUNCTION public.advice_begin_proposal();
ALTER TABLE public.advice_proposal ENABLE ALWAYS TRIGGER a_proposal_asked;
"""
ASKED_NOT = """
DROP TRIGGER a_proposal_asked ON public.advice_proposal;
DROP FUNCTION public.advice_begin_proposal();
"""


class Migration(migrations.Migration):
    dependencies = [("advice", "0003_claimed_by"), ("predictions", "0005_claimed_by")]

    operations = [
        migrations.AddField(
            model_name="proposal",
            name="attempts",
            field=models.PositiveSmallIntegerField(
                default=0, help_text="How often a worker took it; one that died counts."
            ),
        ),
        migrations.AddField(
            model_name="proposal",
            name="refusal",
            field=models.CharField(
                blank=True,
                help_text="Code of the refusal when there could be no advice.",
                max_length=60,
            ),
        ),
        migrations.AlterField(
            model_name="proposal",
            name="output",
            field=models.TextField(blank=True, help_text="The answer, as canonical JSON."),
        ),
        migrations.AlterField(
            model_name="proposal",
            name="problem",
            field=models.TextField(blank=True, help_text="Words of the refusal."),
        ),
        migrations.RemoveConstraint(model_name="proposal", name="proposal_once_a_prediction"),
        migrations.AddConstraint(
            model_name="proposal",
            constraint=models.UniqueConstraint(
                fields=["alert", "prediction"],
                condition=~models.Q(state="failed"),
                name="proposal_once_a_prediction",
            ),
        ),
        migrations.AddConstraint(
            model_name="proposal",
            constraint=models.CheckConstraint(
                name="proposal_failed_in_words",
                condition=models.Q(state="failed", problem__gt="")
                | (~models.Q(state="failed") & models.Q(problem="", refusal="")),
            ),
        ),
        migrations.RunSQL(
            KEEP.replace("{claimed_by}", f"{OF_CLAIM} 'attempts', 'refusal',"),
            KEEP.replace("{claimed_by}", OF_CLAIM),
        ),
        migrations.RunSQL(ASKED, ASKED_NOT),
    ]
