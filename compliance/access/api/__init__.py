"""Sign-in, people, devices and what is on record about them, over the API."""

from compliance.access.api import session

urlpatterns = [*session.urlpatterns]
