"""Messages in the formats of other systems over the API: post, list, read, and the bytes again."""

from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import exceptions, generics, serializers
from rest_framework.parsers import BaseParser
from rest_framework.request import Request, is_form_media_type
from rest_framework.response import Response
from rest_framework.views import APIView

from batches.exchange import batchml_export, intake
from batches.exchange.formats import detecting, gates
from batches.exchange.formats.xml_reading import ACKNOWLEDGEMENT
from batches.exchange.models.messages import Message, MessageState
from batches.execution.models import Batch
from compliance import wire
from compliance.access import callers
from compliance.access.callers import PeopleAndDevicesRead
from compliance.access.models import Device
from compliance.access.scopes import Scope
from compliance.api_contract import encodings
from compliance.wire import Out, Pages

_LONGEST = 200


class BytesParser(BaseParser):
    """The body as it was posted; its kind is looked at by the domain, and may be refused there."""

    media_type = "*/*"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        if is_form_media_type(media_type):  # no message; and its bytes would be taken for a form
            raise exceptions.UnsupportedMediaType(media_type)
        most = settings.MESSAGE_MAX_BYTES
        data: bytes = stream.read(most + 1)
        if len(data) > most:
            raise gates.MessageTooLarge(f"a message has at most {most // 1024} KiB")
        return data


class MessageOut(Out):
    id = serializers.IntegerField(source="pk")
    state = serializers.CharField(help_text=f"One of {', '.join(MessageState.values)}.")
    format = serializers.CharField()
    format_version = serializers.CharField()
    own_id = serializers.CharField()
    sha256 = serializers.CharField(help_text="Of the bytes as posted, unpacked.")
    size = serializers.IntegerField()
    converted_by = serializers.CharField()
    mapping = serializers.CharField(default=None, allow_null=True)
    batch = serializers.CharField(source="batch.number", default=None, allow_null=True)
    received_at = serializers.DateTimeField()
    decision = serializers.CharField()
    acknowledgement = serializers.SerializerMethodField(
        help_text="What the licence of B2MML asks to be printed."
    )

    def get_acknowledgement(self, message: Message) -> str:
        return ACKNOWLEDGEMENT if message.format.startswith("b2mml") else ""


class MessageDetailOut(MessageOut):
    report = serializers.DictField(
        help_text="What was mapped, not mapped, changed and in the way, each with its pointer."
    )


_BESIDE = [
    OpenApiParameter("mapping", description="Name of the declared mapping, in its version now."),
    OpenApiParameter("batch", description="Number of the batch that the message is about."),
    OpenApiParameter("converter", description="Instrument of a raw file, e.g. NOVABIO_FLEX2."),
    OpenApiParameter("filename", description="Name of a raw file."),
]


class Messages(generics.ListAPIView[Message]):
    permission_classes = [PeopleAndDevicesRead]
    scopes = {"get": Scope.MESSAGES_READ, "post": Scope.MESSAGES_WRITE}
    parser_classes = [BytesParser]
    encodings = gates.PACKED
    serializer_class = MessageOut
    pagination_class = Pages

    def get_queryset(self) -> QuerySet[Message]:
        found = Message.objects.select_related("batch", "mapping").order_by("-pk")
        caller = callers.principal(self.request)
        if isinstance(caller, Device):
            found = found.filter(source=caller)
        if state := wire.chosen(self.request, "state", MessageState.values):
            found = found.filter(state=state)
        return found

    @extend_schema(
        operation_id="messages_list",
        parameters=[OpenApiParameter("state", enum=MessageState.values)],
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List messages, newest first: a device sees its own."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="message_receive",
        parameters=[*_BESIDE],
        request={
            media: OpenApiTypes.ANY if kind == "json" else OpenApiTypes.BINARY
            for media, kind in detecting.DECLARED.items()
        },
        responses={201: MessageDetailOut},
    )
    def post(self, request: Request) -> Response:
        """Take a message in: it is kept byte for byte, and mapped or put in quarantine."""
        said = _said(request)
        data = gates.inflated(
            request.data if isinstance(request.data, bytes) else b"",
            encoding=encodings.said(request.headers),
            most=settings.MESSAGE_MAX_BYTES,
        )
        message = intake.receive(
            intake.Posted(data=data, media_type=request.content_type or "", **said),
            actor=callers.principal(request),
            at=timezone.now(),
        )
        return Response(MessageDetailOut(message).data, status=201)


def _said(request: Request) -> dict[str, str]:
    """Return what is said beside the message; what is not known is refused, never dropped."""
    said = request.query_params.dict()
    known = {one.name for one in _BESIDE}
    wrong = {
        name: f"known: {', '.join(sorted(known))}"
        for name, text in said.items()
        if name not in known or len(text) > _LONGEST or not text.isprintable()
    }
    if wrong:
        raise serializers.ValidationError(wrong)
    return said


class MessageView(APIView):
    permission_classes = [PeopleAndDevicesRead]
    scopes = {"get": Scope.MESSAGES_READ}

    @extend_schema(operation_id="message_read", responses=MessageDetailOut)
    def get(self, request: Request, pk: int) -> Response:
        """Read a message with its report."""
        return Response(MessageDetailOut(_message(request, pk)).data)


class MessageContent(APIView):
    permission_classes = [PeopleAndDevicesRead]
    scopes = {"get": Scope.MESSAGES_READ}

    @extend_schema(operation_id="message_content", responses={(200, "*/*"): OpenApiTypes.ANY})
    def get(self, request: Request, pk: int) -> HttpResponse:
        """Get the bytes of a message, compared with their digest."""
        message = _message(request, pk)
        response = HttpResponse(intake.original(message), content_type=message.media_type)
        response["Content-Disposition"] = f'attachment; filename="{message.attachment.filename}"'
        response["X-Content-Type-Options"] = "nosniff"
        return response


def _message(request: Request, pk: int) -> Message:
    found = Message.objects.select_related("batch", "mapping", "attachment")
    caller = callers.principal(request)
    if isinstance(caller, Device):
        found = found.filter(source=caller)
    return get_object_or_404(found, pk=pk)


class BatchMl(APIView):
    permission_classes = [PeopleAndDevicesRead]
    scopes = {"get": Scope.BATCHES_READ}

    @extend_schema(
        operation_id="batch_batchml", responses={(200, "application/xml"): OpenApiTypes.BINARY}
    )
    def get(self, request: Request, number: str) -> HttpResponse:
        """Get the production record of a batch as BatchML V0700.

        The Business To Manufacturing Markup Language (B2MML) is used courtesy of MESA
        International.
        """
        batch = get_object_or_404(Batch.objects.select_related("recipe__product"), number=number)
        content = batchml_export.document(
            batch, actor=callers.principal(request), at=timezone.now()
        )
        response = HttpResponse(content, content_type="application/xml")
        response["Content-Disposition"] = f'attachment; filename="{batch.number}.batchml.xml"'
        return response
