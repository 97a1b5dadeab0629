"""Exchange as a Django app."""

from django.apps import AppConfig


class ExchangeConfig(AppConfig):
    name = "batches.exchange"
    label = "exchange"
    verbose_name = "Exchange"

    def ready(self) -> None:
        from batches.exchange import belongings  # noqa: F401 -- registers what belongs to a batch
