"""What plants and laboratories post and read: batches, events, readings, samples, results."""

from django.urls import path
from django.views.decorators.http import conditional_page

from batches.exchange.api.batches import Batches, BatchView, Links
from batches.exchange.api.happenings import Events, Newest, Readings
from batches.exchange.api.laboratory import Results, Samples
from batches.exchange.api.messages import BatchMl, MessageContent, Messages, MessageView
from batches.exchange.api.receipts import Receipts

urlpatterns = [
    path("batches", Batches.as_view(), name="batches"),
    path("batches/<str:number>", conditional_page(BatchView.as_view()), name="batch"),
    path("batches/<str:number>/events", Events.as_view(), name="batch-events"),
    path("batches/<str:number>/readings", Readings.as_view(), name="batch-readings"),
    path("batches/<str:number>/readings/newest", Newest.as_view(), name="batch-readings-newest"),
    path("batches/<str:number>/samples", Samples.as_view(), name="batch-samples"),
    path("batches/<str:number>/results", Results.as_view(), name="batch-results"),
    path("batches/<str:number>/deviations", Links.as_view(), name="batch-deviations"),
    path("receipts", Receipts.as_view(), name="receipts"),
    path("batches/<str:number>/batchml", BatchMl.as_view(), name="batch-batchml"),
    path("messages", Messages.as_view(), name="messages"),
    path("messages/<int:pk>", MessageView.as_view(), name="message"),
    path("messages/<int:pk>/content", MessageContent.as_view(), name="message-content"),
]
