"""Exchange as a Django app."""

from django.apps import AppConfig


class ExchangeConfig(AppConfig):
    name = "batches.exchange"
    label = "exchange"
    verbose_name = "Exchange"
