"""Signatures as a Django app."""

from django.apps import AppConfig


class SignaturesConfig(AppConfig):
    name = "compliance.signatures"
    label = "signatures"
    verbose_name = "Signatures"
