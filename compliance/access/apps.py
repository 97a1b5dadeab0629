"""People, roles and devices as a Django app."""

from django.apps import AppConfig


class AccessConfig(AppConfig):
    name = "compliance.access"
    label = "access"
    verbose_name = "Access"

    def ready(self) -> None:
        from compliance.access import callers  # models are there only now
        from compliance.api_contract import endpoint

        endpoint.before_every_request(callers.demand_scope)
        endpoint.before_every_write(callers.demand_qualified)
