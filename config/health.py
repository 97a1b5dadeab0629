"""Say whether the database answers and the trail is being sealed; no details to strangers."""

from django.db import connection
from django.db.utils import Error
from django.http import HttpRequest, JsonResponse


def view(request: HttpRequest) -> JsonResponse:
    """Answer 200 when the database can be asked, else 503."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT size FROM audit.log_state WHERE log_id = 1")
            is_ready = cursor.fetchone() is not None
    except Error:
        is_ready = False
    return JsonResponse({"ready": is_ready}, status=200 if is_ready else 503)
