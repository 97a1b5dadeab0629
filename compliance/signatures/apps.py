"""Signatures as a Django app."""

from django.apps import AppConfig


class SignaturesConfig(AppConfig):
    name = "compliance.signatures"
    label = "signatures"
    verbose_name = "Signatures"

    def ready(self) -> None:
        from compliance.signatures import signing, statements  # noqa: F401 -- declares its content
        from compliance.trail import redaction

        redaction.hold("signatures", signing.need)
