"""Sign-in, people, devices and what is on record about them, over the API."""

from compliance.access.api import clients, devices, oversight, people, session, token, training

urlpatterns = [
    *session.urlpatterns,
    *people.urlpatterns,
    *training.urlpatterns,
    *oversight.urlpatterns,
    *devices.urlpatterns,
    *clients.urlpatterns,
    *token.urlpatterns,
]
