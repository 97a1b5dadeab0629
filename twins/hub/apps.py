"""Twin hub as a Django app."""

from django.apps import AppConfig


class HubConfig(AppConfig):
    name = "twins.hub"
    label = "hub"
    verbose_name = "Twin hub"
