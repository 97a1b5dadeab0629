"""Models under control that only the tests have: every type of column, every kind of control."""

from pathlib import Path

from django.apps import AppConfig


class TrailAppConfig(AppConfig):
    name = "tests.trail_app"
    label = "trail_app"
    path = str(Path(__file__).parent)
