"""Execution as a Django app."""

from django.apps import AppConfig


class ExecutionConfig(AppConfig):
    name = "batches.execution"
    label = "execution"
    verbose_name = "Execution"
