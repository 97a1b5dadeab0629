"""People, roles and devices as a Django app."""

from django.apps import AppConfig


class AccessConfig(AppConfig):
    name = "compliance.access"
    label = "access"
    verbose_name = "Access"
