"""What people do in the record of a batch, over the API."""

from django.urls import path

from batches.execution.api.entries import (
    Calculations,
    EntryVerification,
    Examinations,
    InProcessResults,
    LabelUses,
    Yields,
)
from batches.execution.api.materials import (
    Charges,
    EquipmentReturn,
    EquipmentUses,
    Genealogy,
    LotBatches,
    MaterialAccounts,
    Produced,
)
from batches.execution.api.phases import CopyCheck, Moves, Phases, PhaseVerification
from batches.execution.api.review import (
    Completeness,
    ExceptionAssessment,
    ExceptionDeviation,
    Exceptions,
    FileContent,
    Files,
    Remarks,
)

_BATCH = "batches/<str:number>"

urlpatterns = [
    path(f"{_BATCH}/copy-check", CopyCheck.as_view(), name="batch-copy-check"),
    path(f"{_BATCH}/phases", Phases.as_view(), name="batch-phases"),
    path(f"{_BATCH}/phases/<int:order>/moves", Moves.as_view(), name="phase-moves"),
    path(
        f"{_BATCH}/phases/<int:order>/verification",
        PhaseVerification.as_view(),
        name="phase-verification",
    ),
    path(f"{_BATCH}/in-process-results", InProcessResults.as_view(), name="batch-in-process"),
    path(f"{_BATCH}/calculations", Calculations.as_view(), name="batch-calculations"),
    path(f"{_BATCH}/yields", Yields.as_view(), name="batch-yields"),
    path(f"{_BATCH}/examinations", Examinations.as_view(), name="batch-examinations"),
    path(f"{_BATCH}/label-uses", LabelUses.as_view(), name="batch-label-uses"),
    path(
        f"{_BATCH}/<str:entries>/<int:pk>/verification",
        EntryVerification.as_view(),
        name="entry-verification",
    ),
    path(f"{_BATCH}/charges", Charges.as_view(), name="batch-charges"),
    path(f"{_BATCH}/material-accounts", MaterialAccounts.as_view(), name="batch-material-accounts"),
    path(f"{_BATCH}/equipment", EquipmentUses.as_view(), name="batch-equipment"),
    path(f"{_BATCH}/equipment/<int:pk>/return", EquipmentReturn.as_view(), name="equipment-return"),
    path(f"{_BATCH}/genealogy", Genealogy.as_view(), name="batch-genealogy"),
    path(f"{_BATCH}/produced-lots", Produced.as_view(), name="batch-produced"),
    path("lots/<str:lot>/batches", LotBatches.as_view(), name="lot-batches"),
    path(f"{_BATCH}/exceptions", Exceptions.as_view(), name="batch-exceptions"),
    path(
        f"{_BATCH}/exceptions/<int:pk>/assessment",
        ExceptionAssessment.as_view(),
        name="exception-assessment",
    ),
    path(
        f"{_BATCH}/exceptions/<int:pk>/deviation",
        ExceptionDeviation.as_view(),
        name="exception-deviation",
    ),
    path(f"{_BATCH}/completeness", Completeness.as_view(), name="batch-completeness"),
    path(f"{_BATCH}/remarks", Remarks.as_view(), name="batch-remarks"),
    path(f"{_BATCH}/files", Files.as_view(), name="batch-files"),
    path(f"{_BATCH}/files/<int:pk>/content", FileContent.as_view(), name="batch-file-content"),
]
