"""The disposition of batches over the API: review, decision, certification and shipment."""

from django.urls import path

from batches.disposition.api.annual_reviews import AnnualReviewOfProduct
from batches.disposition.api.certificates import Certification, Register, RegisterFile
from batches.disposition.api.decisions import Disposition
from batches.disposition.api.reviews import Review
from batches.disposition.api.shipments import BatchShipments, Shipments

urlpatterns = [
    path("batches/<str:number>/review", Review.as_view(), name="batch-review"),
    path("batches/<str:number>/disposition", Disposition.as_view(), name="disposition"),
    path("batches/<str:number>/certificates", Certification.as_view(), name="certification"),
    path("batches/<str:number>/shipments", BatchShipments.as_view(), name="batch-shipments"),
    path(
        "products/<str:code>/annual-review",
        AnnualReviewOfProduct.as_view(),
        name="annual-review",
    ),
    path("certificates", Register.as_view(), name="certificates"),
    path("certificates.csv", RegisterFile.as_view(), name="certificates-csv"),
    path("shipments", Shipments.as_view(), name="shipments"),
]
