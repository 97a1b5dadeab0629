"""What plants and laboratories post and read: batches, events, readings, results; and the feed."""

from django.urls import path

from batches.exchange.api.batches import Batches, BatchView, Links
from batches.exchange.api.changes import Changes
from batches.exchange.api.happenings import Events, Newest, Readings
from batches.exchange.api.laboratory import Results, Samples
from batches.exchange.api.messages import BatchMl, MessageContent, Messages, MessageView
from batches.exchange.api.receipts import Receipts
from batches.exchange.api.streams import (
    GapExplanation,
    Gaps,
    Reconciliation,
    Records,
    Sources,
    SourceThresholds,
    SourceView,
)
from batches.exchange.api.webhooks import (
    Deliveries,
    Replays,
    Secrets,
    Subscriptions,
    SubscriptionStates,
)

urlpatterns = [
    path("batches", Batches.as_view(), name="batches"),
    path("batches/<str:number>", BatchView.as_view(), name="batch"),
    path("batches/<str:number>/events", Events.as_view(), name="batch-events"),
    path("batches/<str:number>/readings", Readings.as_view(), name="batch-readings"),
    path("batches/<str:number>/readings/newest", Newest.as_view(), name="batch-readings-newest"),
    path("batches/<str:number>/samples", Samples.as_view(), name="batch-samples"),
    path("batches/<str:number>/results", Results.as_view(), name="batch-results"),
    path("batches/<str:number>/deviations", Links.as_view(), name="batch-deviations"),
    path("sources", Sources.as_view(), name="sources"),
    path("sources/<str:code>", SourceView.as_view(), name="source"),
    path("sources/<str:code>/thresholds", SourceThresholds.as_view(), name="source-thresholds"),
    path("sources/<str:code>/records", Records.as_view(), name="source-records"),
    path("sources/<str:code>/gaps", Gaps.as_view(), name="source-gaps"),
    path(
        "sources/<str:code>/gaps/<int:pk>/explanation",
        GapExplanation.as_view(),
        name="source-gap-explanation",
    ),
    path("sources/<str:code>/reconciliation", Reconciliation.as_view(), name="source-books"),
    path("webhooks", Subscriptions.as_view(), name="webhooks"),
    path("webhooks/<str:name>/secrets", Secrets.as_view(), name="webhook-secrets"),
    path("webhooks/<str:name>/states", SubscriptionStates.as_view(), name="webhook-states"),
    path("webhooks/<str:name>/deliveries", Deliveries.as_view(), name="webhook-deliveries"),
    path("deliveries/<int:pk>/replays", Replays.as_view(), name="delivery-replays"),
    path("feed", Changes.as_view(), name="feed"),
    path("receipts", Receipts.as_view(), name="receipts"),
    path("batches/<str:number>/batchml", BatchMl.as_view(), name="batch-batchml"),
    path("messages", Messages.as_view(), name="messages"),
    path("messages/<int:pk>", MessageView.as_view(), name="message"),
    path("messages/<int:pk>/content", MessageContent.as_view(), name="message-content"),
]
