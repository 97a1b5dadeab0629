"""Retention as a Django app."""

from django.apps import AppConfig


class RetentionConfig(AppConfig):
    name = "compliance.retention"
    label = "retention"
    verbose_name = "Retention"

    def ready(self) -> None:
        from compliance.retention import holds
        from compliance.trail import redaction

        redaction.hold("legal-hold", holds.why_kept)
