"""Equipment, materials and lots over the API."""

from django.urls import path

from batches.assets.api import care, equipment, lots, materials

_equipment = "equipment/<str:code>"
_lot = "material-lots/<str:number>"
urlpatterns = [
    path("equipment", equipment.EquipmentList.as_view(), name="equipment-list"),
    path(_equipment, equipment.EquipmentView.as_view(), name="equipment"),
    path(f"{_equipment}/needs", equipment.NeedsView.as_view(), name="equipment-needs"),
    path(f"{_equipment}/state", equipment.State.as_view(), name="equipment-state"),
    path(f"{_equipment}/declaration", equipment.Declaration.as_view(), name="equipment-declared"),
    path(f"{_equipment}/uses", equipment.Uses.as_view(), name="equipment-uses"),
    path(f"{_equipment}/uses/<int:pk>/end", equipment.UseEnd.as_view(), name="equipment-use-end"),
    path(f"{_equipment}/log-book", equipment.LogBook.as_view(), name="equipment-log-book"),
    path(f"{_equipment}/impact", equipment.Impact.as_view(), name="equipment-impact"),
    path(f"{_equipment}/services", equipment.Services.as_view(), name="equipment-services"),
    path(f"{_equipment}/qualifications", care.Qualifications.as_view(), name="qualifications"),
    path(
        f"{_equipment}/qualifications/<int:pk>/approval",
        care.StageApproval.as_view(),
        name="qualification-approval",
    ),
    path(f"{_equipment}/part-changes", care.PartChanges.as_view(), name="part-changes"),
    path(f"{_equipment}/calibrations", care.Calibrations.as_view(), name="calibrations"),
    path(
        f"{_equipment}/calibrations/<int:pk>/verification",
        care.CalibrationCheck.as_view(),
        name="calibration-verification",
    ),
    path(
        f"{_equipment}/calibrations/<int:pk>/due-date",
        care.DueDate.as_view(),
        name="calibration-due-date",
    ),
    path(f"{_equipment}/cleanings", care.Cleanings.as_view(), name="cleanings"),
    path(
        f"{_equipment}/cleanings/<int:pk>/finish",
        care.CleaningFinish.as_view(),
        name="cleaning-finish",
    ),
    path(
        f"{_equipment}/cleanings/<int:pk>/verification",
        care.CleaningCheck.as_view(),
        name="cleaning-verification",
    ),
    path("materials", materials.Materials.as_view(), name="materials"),
    path("materials/<str:code>", materials.MaterialView.as_view(), name="material"),
    path(
        "materials/<str:code>/first-to-expire",
        materials.FirstToExpire.as_view(),
        name="material-first-to-expire",
    ),
    path("suppliers", materials.Suppliers.as_view(), name="suppliers"),
    path("suppliers/<str:code>", materials.SupplierView.as_view(), name="supplier"),
    path("suppliers/<str:code>/approvals", materials.Approvals.as_view(), name="approvals"),
    path(
        "suppliers/<str:code>/approvals/<int:pk>/end",
        materials.ApprovalEnd.as_view(),
        name="approval-end",
    ),
    path("material-lots", lots.Lots.as_view(), name="material-lots"),
    path(_lot, lots.LotView.as_view(), name="material-lot"),
    path(f"{_lot}/decisions", lots.Decisions.as_view(), name="material-lot-decisions"),
    path(f"{_lot}/dates", lots.Dates.as_view(), name="material-lot-dates"),
    path(f"{_lot}/movements", lots.Movements.as_view(), name="material-lot-movements"),
    path(f"{_lot}/account", lots.AccountView.as_view(), name="material-lot-account"),
    path(f"{_lot}/counts", lots.Counts.as_view(), name="material-lot-counts"),
    path(f"{_lot}/genealogy", lots.Genealogy.as_view(), name="material-lot-genealogy"),
    path(f"{_lot}/components", lots.Components.as_view(), name="material-lot-components"),
]
