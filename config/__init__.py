"""Settings, entry points and the services that the product brings along."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
