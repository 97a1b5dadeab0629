"""The WSGI application that gunicorn serves."""

import gc
import os
from importlib import import_module

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()

from django.conf import settings  # noqa: E402 -- the application sets Django up
from django.utils import timezone  # noqa: E402

from config import configuration, whole_bodies  # noqa: E402

application.request_class = whole_bodies.WholeRequest
configuration.note("web", at=timezone.now())
import_module(settings.ROOT_URLCONF)  # now, not within the first request
gc.collect()
gc.freeze()  # all of it stays: the collector need not look at it again
