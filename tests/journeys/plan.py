"""What a batch is made of in the walks: the same words over the API and on the pages."""

from datetime import UTC, datetime, timedelta
from typing import Any

FIRST, OWN = "first-password-of-a-walk", "an-own-password-of-a-walk"
ADMINISTRATOR = "a.root"
REASON = "as the plan of the walk says"
BATCH, NEIGHBOUR = "MAB-2601", "MAB-2602"

# Username: printed name and role. Everybody has one role; what takes two people has two.
PEOPLE: dict[str, tuple[str, str]] = {
    "q.first": ("Quinn First", "quality-assurance"),
    "q.second": ("Robin Second", "quality-assurance"),
    "q.third": ("Toni Third", "quality-assurance"),
    "q.person": ("Parker Qualified", "qualified-person"),
    "e.author": ("Emery Author", "process-engineer"),
    "e.reviewer": ("Rowan Reviewer", "process-engineer"),
    "p.super": ("Sam Floor", "supervisor"),
    "p.operator": ("Oakley Hand", "operator"),
    "l.analyst": ("Avery Bench", "qc-analyst"),
    "l.super": ("Lane Desk", "qc-supervisor"),
    "w.store": ("Wynn Store", "warehouse"),
    "m.tech": ("Micah Wrench", "maintenance"),
}
PROOF = {"method": "in-person", "document": "passport seen, copy in file HR-0042"}

PROCEDURES: dict[str, tuple[str, tuple[str, ...]]] = {
    "SOP-MFG-001": ("Running a culture", ("p.super", "p.operator")),
    "SOP-CLN-001": ("Cleaning a bioreactor", ("p.super", "p.operator")),
    "HPLC-12": ("Antibody by protein A chromatography", ("l.analyst", "l.super")),
}
PROCEDURE_VERSION = {"summary": "First version, written for the walk."}
TRAINING = {"method": "on-the-job", "assessment": "passed"}

DEVICE = {"name": "historian-1", "kind": "historian", "bound_to": "BR-01"}

PRODUCT: dict[str, Any] = {
    "code": "MAB-50", "name": "Walkimab solution", "strength": "50 mg per vial",
    "dosage_form": "Solution", "shelf_life_months": 24, "markets": ["DE", "FR"],
}  # fmt: skip
MATERIALS = [
    {"code": "MAT-WCB", "name": "Working cell bank", "unit": "mL", "kind": "raw"},
    {"code": "MAT-GLU", "name": "Glucose", "unit": "kg", "kind": "raw"},
    {"code": "MAT-VIAL", "name": "Vial of 5 mL", "unit": "{piece}", "kind": "packaging"},
]
SUPPLIER = {"code": "SUP-1", "name": "Sugar and glass works", "address": "Harbour 1"}
APPROVAL = {"basis": "audited on site, report AUD-7"}
LOTS = [
    {"material": "MAT-WCB", "number": "LOT-WCB-1", "supplier_lot": "W1", "quantity": "50",
     "unit": "mL", "location": "Freezer 2"},
    {"material": "MAT-GLU", "number": "LOT-GLU-1", "supplier_lot": "G1", "quantity": "25",
     "unit": "kg", "location": "Warehouse A"},
    {"material": "MAT-VIAL", "number": "LOT-VIAL-1", "supplier_lot": "V1", "quantity": "2000",
     "unit": "{piece}", "location": "Warehouse B"},
]  # fmt: skip

EQUIPMENT: list[dict[str, Any]] = [
    {"code": "BR-01", "name": "Bioreactor of 200 L", "kind": "bioreactor", "location": "Suite 1",
     "manufacturer": "Steelworks", "model": "BR-200", "serial_number": "S-1",
     "needed_stages": ["iq", "oq"], "is_cleaned": True, "dirty_hold_hours": 24,
     "clean_hold_hours": 72},
    {"code": "BAL-01", "name": "Floor scale", "kind": "balance", "location": "Suite 1",
     "manufacturer": "Scales Inc", "model": "F-60", "serial_number": "S-2",
     "needed_stages": ["iq"], "calibration_interval_days": 90},
    {"code": "HPLC-01", "name": "Liquid chromatograph", "kind": "hplc", "location": "Laboratory",
     "manufacturer": "Columns Inc", "model": "L-9", "serial_number": "S-3",
     "needed_stages": ["oq"], "calibration_interval_days": 180},
]  # fmt: skip
STAGE = {"protocol": "VP-101 v2", "report": "VR-9", "summary": "Every criterion is met."}
CALIBRATION: dict[str, Any] = {
    "as_found": "100.1 of 100", "as_found_in_tolerance": True, "as_left": "100.0 of 100",
    "as_left_in_tolerance": True, "reference_standard": "W-100 of class E2",
    "certificate": "CAL-77",
}  # fmt: skip

SPECIFICATION = {
    "code": "SPEC-MAB", "title": "Walkimab drug product", "use": "release", "product": "MAB-50",
}  # fmt: skip
TEST: dict[str, Any] = {
    "tag": "mab_g_l", "name": "Antibody", "method_code": "HPLC-12", "method_version": "1",
    "unit": "g/L", "low": "2.50", "high": "3.50", "decimals": 2, "replicates": 2,
}  # fmt: skip
POINT: dict[str, Any] = {"point": "End of culture", "samples": 1, "amount": "10 mL"}

PHASES = [
    {"unit_procedure": "Bioreactor", "operation": "Culture", "name": "Inoculation",
     "instruction": "Add the working cell bank.", "needs_verification": True,
     "equipment_kind": "bioreactor", "procedure": "SOP-MFG-001"},
    {"unit_procedure": "Bioreactor", "operation": "Culture", "name": "Growth",
     "instruction": "Feed glucose and hold pH.", "needs_verification": True,
     "procedure": "SOP-MFG-001"},
    {"unit_procedure": "Packaging", "operation": "Fill", "name": "Labelling",
     "instruction": "Fill, label and examine.", "needs_verification": True,
     "procedure": "SOP-MFG-001"},
]  # fmt: skip
GROWTH, LABELLING, INOCULATION = (
    "Bioreactor/Growth", "Packaging/Labelling", "Bioreactor/Inoculation",
)  # fmt: skip
HEADER = {
    "dosage_unit": "vial of 50 mg in 1 mL", "batch_size": "100", "batch_size_unit": "g",
    "specification": "SPEC-MAB", "specification_version": "1", "storage": "2 to 8 Cel",
    "precautions": "Wear gloves.",
}  # fmt: skip
PARTS: dict[str, list[dict[str, Any]]] = {
    "parameters": [
        {"tag": "temperature_c", "name": "Temperature", "kind": "reading", "unit": "Cel",
         "criticality": "cpp", "low": "36.3", "high": "37.3", "is_required": True},
        {"tag": "ph", "name": "pH", "kind": "in-process", "unit": "[pH]", "criticality": "cpp",
         "low": "6.85", "high": "7.15", "is_required": True, "phase": GROWTH},
        {"tag": "mab_g_l", "name": "Antibody", "kind": "result", "unit": "g/L",
         "criticality": "cqa", "low": "2.5", "is_required": True},
    ],
    "materials": [
        {"line": 1, "phase": INOCULATION, "material": "MAT-WCB", "kind": "active",
         "quantity": "10", "unit": "mL", "tolerance_low_pct": "5", "tolerance_high_pct": "5",
         "amount_per_dosage_unit": "50 mg antibody"},
        {"line": 2, "phase": GROWTH, "material": "MAT-GLU", "kind": "component",
         "quantity": "2", "unit": "kg", "tolerance_low_pct": "1", "tolerance_high_pct": "1"},
        {"line": 3, "phase": LABELLING, "material": "MAT-VIAL", "kind": "packaging",
         "quantity": "100", "unit": "{piece}", "tolerance_high_pct": "2"},
    ],
    "yields": [
        {"phase": LABELLING, "quantity": "100", "unit": "g", "low_pct": "85", "high_pct": "105"}
    ],
    "sampling": [
        {"name": "End of culture", "phase": GROWTH, "timing": "before the fill", "count": 1,
         "specification": "SPEC-MAB", "specification_version": "1", "tests": ["mab_g_l"]}
    ],
    "equipment": [{"name": "Vessel", "kind": "bioreactor", "phase": INOCULATION}],
    "labels": [
        {"code": "LABEL-50", "version": "1", "phase": LABELLING, "description": "50 mg, EU"}
    ],
}  # fmt: skip
TITLE = "Fed-batch of walkimab"

CHARGES: dict[int, dict[str, str]] = {
    1: {"line": "1", "lot": "LOT-WCB-1", "net": "10.0", "unit": "mL"},
    2: {"line": "2", "lot": "LOT-GLU-1", "net": "2.000", "unit": "kg", "gross": "2.500",
        "tare": "0.500", "scale": "BAL-01"},
    3: {"line": "3", "lot": "LOT-VIAL-1", "net": "100", "unit": "{piece}"},
}  # fmt: skip
ACCOUNTS: dict[int, dict[str, str]] = {
    1: {"issued": "10.0"},
    2: {"issued": "2.500", "returned": "0.400", "wasted": "0.100"},
    3: {"issued": "102", "returned": "1", "wasted": "1"},
}
PH = [{"tag": "ph", "value": value, "unit": "[pH]"} for value in ("7.24", "7.02")]
YIELD = {"value": "96.5", "unit": "g"}
LABELS: dict[str, Any] = {
    "code": "LABEL-50", "issued": 110, "used": 100, "returned": 6, "destroyed": 3, "sampled": 1,
}  # fmt: skip
SPECIMEN = ("label-50.png", b"\x89PNG a specimen of the label, as printed", "image/png")
EXAMINATIONS = [
    ("area-before", "Nothing of another product in the area."),
    ("area-after", "The area is cleared, no label is left."),
    ("packages", "Every package carries the right label."),
]
DEVIATION: dict[str, Any] = {
    "title": "pH above its limit in the culture", "severity": "major", "category": "process",
    "description": "The pH was 7.24 at the first check; its limit is 7.15. Base was still dosed.",
    "concerns": "ph",
}  # fmt: skip
ANSWERS = {
    "harms_patient": False, "is_integrity_in_doubt": False, "touches_cqa": False,
    "touches_cpp": True, "is_released": False, "breaks_procedure": False,
}  # fmt: skip
RATIONALE = "A critical parameter left its range for some minutes; nothing has left the site."
FINDINGS = {
    "root_cause_category": "equipment",
    "root_cause": "The valve of the base stuck open until it was tapped.",
    "impact": "The antibody is within its specification; growth was as usual.",
    "conclusion": "The product is not affected.",
    "alternatives_considered": "A drift of the probe: ruled out by a second probe.",
    "corrective_action": "The valve is replaced.",
}
UNAFFECTED = {"effect": "not-affected", "reason": "it is not started, and gets the new valve"}
ASSESSMENT = "The missed pH is investigated; the product is not affected."

SAMPLE = {"number": "S-0001", "point": "End of culture"}
REAGENT = {"code": "STD-MAB", "lot": "R7", "name": "Walkimab standard", "kind": "standard"}
RUN: dict[str, Any] = {
    "instrument": "HPLC-01", "method_code": "HPLC-12", "method_version": "1",
    "planned_injections": 4,
}  # fmt: skip
SUITABILITY = {"has_passed": True, "text": "RSD 0.4 %, at most 1.0 % is allowed."}
VALUES = ("3.04", "3.08")
IMPACT = "The deviation was investigated; quality, safety and efficacy are not affected by it."
SEED = "dice 4 6 1 1 3 2"
CONCLUSION = "Every drawn entry was looked at; none raises a concern."
SHIPMENT = {"market": "eu", "consignee": "Wholesaler North", "quantity": "80", "unit": "{vial}"}


def now() -> str:
    return datetime.now(UTC).isoformat()


def today() -> str:
    return datetime.now(UTC).date().isoformat()


def in_a_year() -> str:
    return (datetime.now(UTC) + timedelta(days=365)).date().isoformat()
