"""Configuration as a Django app."""

from django.apps import AppConfig


class ConfigurationConfig(AppConfig):
    name = "compliance.configuration"
    label = "configuration"
    verbose_name = "Configuration"

    def ready(self) -> None:
        from compliance.configuration import figures  # noqa: F401 -- registers its figures
