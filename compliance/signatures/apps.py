"""Signatures as a Django app."""

from django.apps import AppConfig


class SignaturesConfig(AppConfig):
    name = "compliance.signatures"
    label = "signatures"
    verbose_name = "Signatures"

    def ready(self) -> None:
        from compliance.signatures import (  # noqa: F401 -- they declare and register themselves
            at_provider,
            signing,
            statements,
        )
        from compliance.trail import redaction

        redaction.hold("signatures", signing.need)
