"""Exchange as a Django app."""

from django.apps import AppConfig


class ExchangeConfig(AppConfig):
    name = "batches.exchange"
    label = "exchange"
    verbose_name = "Exchange"

    def ready(self) -> None:
        from batches.exchange import receipts  # models are there only now
        from compliance.api_contract import idempotency

        idempotency.kept_by(receipts)
