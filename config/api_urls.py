"""Compose version 1 of the API from the rooms that offer a part of it."""

from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, include, path

from compliance.api_contract import routes

ROOMS = (
    "batches.exchange",
    "batches.recipes",
    "batches.assets",
    "batches.execution",
    "batches.laboratory",
    "batches.disposition",
    "compliance.quality",
    "compliance.retention",
    "compliance.configuration",
    "compliance.inspection",
    "compliance.reports",
    "compliance.trail",
    "compliance.signatures",
    "compliance.signin",
    "compliance.access",
    "twins.predictions",
    "twins.bulk",
    "twins.advice",
    "twins.explanations",
    "twins.hub",
    "config",
)
_rooms: list[URLPattern | URLResolver] = [
    path("", include(f"{room}.api")) for room in ROOMS if find_spec(f"{room}.api")
]
urlpatterns = routes.held(_rooms)
