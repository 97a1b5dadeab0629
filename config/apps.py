"""What the product puts under control beside its own models."""

from django.apps import AppConfig


class ProductConfig(AppConfig):
    name = "config"
    verbose_name = "Product"

    def ready(self) -> None:
        from django_celery_beat import models as beat

        from compliance.trail import capture
        from config import checks  # noqa: F401 -- registers the deployment checks

        # A schedule decides what is watched: changing one is an entry. The scheduler's own
        # bookkeeping is not.
        capture.controlled(
            deletable=True, ignored=("last_run_at", "total_run_count", "date_changed")
        )(beat.PeriodicTask)
        for schedule in (beat.IntervalSchedule, beat.CrontabSchedule, beat.ClockedSchedule):
            capture.controlled(deletable=True)(schedule)
