"""Sign-in, people, devices and what is on record about them, over the API."""

from compliance.access.api import devices, oversight, people, session, training

urlpatterns = [
    *session.urlpatterns,
    *people.urlpatterns,
    *training.urlpatterns,
    *oversight.urlpatterns,
    *devices.urlpatterns,
]
