"""The audit trail as a Django app."""

from django.apps import AppConfig


class TrailConfig(AppConfig):
    name = "compliance.trail"
    label = "trail"
    verbose_name = "Audit trail"
