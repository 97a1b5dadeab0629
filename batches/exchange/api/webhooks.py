"""Webhooks over the API: who is told of changes, how it went, and once more."""

from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from batches.exchange import deliveries, subscriptions
from batches.exchange.models import Delivery, DeliveryState, Scheme, Subscription
from compliance import wire
from compliance.access import callers
from compliance.access.callers import PeopleRead
from compliance.access.models import Device
from compliance.wire import In, Out, Pages, Text


class SubscriptionIn(In):
    name = Text(max_length=60)
    url = Text(max_length=500)
    device = Text(max_length=60, help_text="Name of the device whose permissions apply.")
    kinds = serializers.ListField(
        child=Text(max_length=100), default=list, max_length=50,
        help_text="Tables, or tables with an operation: `laboratory_result.insert`. Empty: all.",
    )  # fmt: skip
    scheme = serializers.ChoiceField(choices=Scheme.choices, default=Scheme.HMAC.value)
    reason = Text(max_length=1000)


class WebhookReasonIn(In):
    reason = Text(max_length=1000)


class RotationIn(WebhookReasonIn):
    overlap_hours = serializers.IntegerField(min_value=1, max_value=720, default=24)


class StateIn(WebhookReasonIn):
    is_active = serializers.BooleanField()


class SubscriptionOut(Out):
    name = serializers.CharField()
    url = serializers.CharField()
    device = serializers.CharField(source="device.name")
    kinds = serializers.SerializerMethodField()
    scheme = serializers.ChoiceField(choices=Scheme.choices)
    public_key = serializers.SerializerMethodField(help_text="Of v1a: `whpk_...`; else empty.")
    previous_until = serializers.DateTimeField(allow_null=True)
    is_active = serializers.BooleanField()
    why_inactive = serializers.CharField()
    created_at = serializers.DateTimeField()

    def get_kinds(self, subscription: Subscription) -> list[str]:
        return subscription.kinds.split()

    def get_public_key(self, subscription: Subscription) -> str:
        return subscriptions.verifies_with(subscription)


class SecretOut(Out):
    name = serializers.CharField()
    verifies_with = serializers.CharField(
        help_text="The secret `whsec_...`, shown this once; or the public key `whpk_...`."
    )


class AttemptOut(Out):
    number = serializers.IntegerField()
    tried_at = serializers.DateTimeField()
    status = serializers.IntegerField(allow_null=True)
    answer = serializers.CharField()
    took_ms = serializers.IntegerField()


class DeliveryOut(Out):
    id = serializers.IntegerField()
    message_id = serializers.CharField()
    event_type = serializers.CharField()
    state = serializers.ChoiceField(choices=DeliveryState.choices)
    created_at = serializers.DateTimeField()
    next_try_at = serializers.DateTimeField(allow_null=True)
    retry_until = serializers.DateTimeField()
    attempts = AttemptOut(many=True, source="attempts.all")


class Subscriptions(generics.ListAPIView[Subscription]):
    permission_classes = [PeopleRead]
    serializer_class = SubscriptionOut
    pagination_class = Pages
    queryset = Subscription.objects.select_related("device").order_by("name")
    answer_not_kept = "the secret of the subscription"

    @extend_schema(operation_id="webhooks_list")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List who is told of changes."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="webhook_subscribe", request=SubscriptionIn, responses={201: SecretOut}
    )
    def post(self, request: Request) -> Response:
        """Tell an address of what changes from now on; the answer has its secret, this once."""
        body = SubscriptionIn(data=request.data)
        body.is_valid(raise_exception=True)
        said = dict(body.validated_data)
        made, shown = subscriptions.subscribe(
            device=get_object_or_404(Device, name=said.pop("device")),
            kinds="\n".join(said.pop("kinds")),
            scheme=Scheme(said.pop("scheme")),
            actor=callers.person(request),
            at=timezone.now(),
            **said,
        )
        return Response({"name": made.name, "verifies_with": shown}, status=201)


class Secrets(APIView):
    permission_classes = [PeopleRead]
    answer_not_kept = "the new secret of the subscription"

    @extend_schema(
        operation_id="webhook_secret_renew", request=RotationIn, responses={201: SecretOut}
    )
    def post(self, request: Request, name: str) -> Response:
        """Renew a secret; both sign for the overlap."""
        body = RotationIn(data=request.data)
        body.is_valid(raise_exception=True)
        subscription = get_object_or_404(Subscription, name=name)
        shown = subscriptions.rotate(
            subscription,
            overlap=timedelta(hours=body.validated_data["overlap_hours"]),
            actor=callers.person(request),
            at=timezone.now(),
            reason=body.validated_data["reason"],
        )
        return Response({"name": name, "verifies_with": shown}, status=201)


class SubscriptionStates(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(
        operation_id="webhook_switch",
        request=StateIn,
        responses={201: SubscriptionOut},
    )
    def post(self, request: Request, name: str) -> Response:
        """Stop a subscription, or let it go on where it was."""
        body = StateIn(data=request.data)
        body.is_valid(raise_exception=True)
        act = subscriptions.resume if body.validated_data["is_active"] else subscriptions.stop
        subscription = act(
            get_object_or_404(Subscription, name=name),
            actor=callers.person(request),
            at=timezone.now(),
            reason=body.validated_data["reason"],
        )
        return Response(SubscriptionOut(subscription).data, status=201)


class Deliveries(generics.ListAPIView[Delivery]):
    permission_classes = [PeopleRead]
    serializer_class = DeliveryOut
    pagination_class = Pages

    def get_queryset(self) -> QuerySet[Delivery]:
        subscription = get_object_or_404(Subscription, name=self.kwargs["name"])
        found = subscription.deliveries.prefetch_related("attempts").order_by("-pk")
        state = wire.chosen(self.request, "state", DeliveryState.values)
        return found.filter(state=state) if state else found

    @extend_schema(
        operation_id="deliveries_list",
        parameters=[OpenApiParameter("state", enum=list(DeliveryState.values))],
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List the messages of a subscription with every try, the newest first."""
        return super().get(request, *args, **kwargs)


class Replays(APIView):
    permission_classes = [PeopleRead]

    @extend_schema(
        operation_id="delivery_replay",
        request=WebhookReasonIn,
        responses={201: DeliveryOut},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Send a message again, under its id."""
        body = WebhookReasonIn(data=request.data)
        body.is_valid(raise_exception=True)
        delivery = deliveries.replay(
            get_object_or_404(Delivery, pk=pk),
            actor=callers.person(request),
            at=timezone.now(),
            reason=body.validated_data["reason"],
        )
        return Response(DeliveryOut(delivery).data, status=201)
