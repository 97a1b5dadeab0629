"""The audit trail as a Django app."""

from django.apps import AppConfig


class TrailConfig(AppConfig):
    name = "compliance.trail"
    label = "trail"
    verbose_name = "Audit trail"

    def ready(self) -> None:
        from compliance.trail import attachments, bulk_seals

        bulk_seals.register("attachments", attachments.broken)
