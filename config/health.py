"""Say whether the database answers, and whether a queue is stuck; no details to strangers."""

from django.db import connection
from django.db.utils import Error
from django.http import HttpRequest, JsonResponse
from django.utils import timezone

from config import queue_status


def view(request: HttpRequest) -> JsonResponse:
    """Answer 200 when the database can be asked, else 503; the queues are not looked at."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT size FROM audit.log_state WHERE log_id = 1")
            is_ready = cursor.fetchone() is not None
    except Error:
        is_ready = False
    return JsonResponse({"ready": is_ready}, status=200 if is_ready else 503)


def of_queues(request: HttpRequest) -> JsonResponse:
    """Answer 200 when no queue is stuck, else 503 with the names of those that are.

    By our own records alone: it waits for no broker, and works the answer out again every 15 s.
    """
    try:
        stuck = queue_status.stuck_lately(at=timezone.now())
    except Error:
        return JsonResponse({"ready": False}, status=503)
    return JsonResponse({"ready": not stuck, "stuck": list(stuck)}, status=503 if stuck else 200)
