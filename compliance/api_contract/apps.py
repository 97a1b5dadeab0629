"""The contract of the API as a Django app: it keeps the counters of its rates."""

from django.apps import AppConfig


class ApiContractConfig(AppConfig):
    name = "compliance.api_contract"
    label = "api_contract"
    verbose_name = "Contract of the API"
