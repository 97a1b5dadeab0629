"""What plants and laboratories post and read: batches, events, readings, samples, results."""

from django.urls import path

from batches.exchange.api.batches import Batches, BatchView, Links
from batches.exchange.api.happenings import Events, Newest, Readings
from batches.exchange.api.laboratory import Results, Samples
from batches.exchange.api.receipts import Receipts

urlpatterns = [
    path("batches", Batches.as_view(), name="batches"),
    path("batches/<str:number>", BatchView.as_view(), name="batch"),
    path("batches/<str:number>/events", Events.as_view(), name="batch-events"),
    path("batches/<str:number>/readings", Readings.as_view(), name="batch-readings"),
    path("batches/<str:number>/readings/newest", Newest.as_view(), name="batch-readings-newest"),
    path("batches/<str:number>/samples", Samples.as_view(), name="batch-samples"),
    path("batches/<str:number>/results", Results.as_view(), name="batch-results"),
    path("batches/<str:number>/deviations", Links.as_view(), name="batch-deviations"),
    path("receipts", Receipts.as_view(), name="receipts"),
]
