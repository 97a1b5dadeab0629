"""Predictions as a Django app."""

from django.apps import AppConfig


class PredictionsConfig(AppConfig):
    name = "twins.predictions"
    label = "predictions"
    verbose_name = "Predictions"
