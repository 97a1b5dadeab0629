"""The WSGI application that gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()

from django.utils import timezone  # noqa: E402 -- the application sets Django up

from config import configuration  # noqa: E402

configuration.note("web", at=timezone.now())
