"""How the queues stand, over the API."""

from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from compliance.access.callers import PeopleRead
from config import queue_status
from config.queue_messages import QueueOut


class Queues(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(operation_id="queues_read", responses=QueueOut(many=True))
    def get(self, request: Request) -> Response:
        """Read what waits in each queue, what is due since when, and which worker is at what."""
        return Response(QueueOut(queue_status.read(at=timezone.now()), many=True).data)


urlpatterns = [path("queues", Queues.as_view(), name="queues")]
