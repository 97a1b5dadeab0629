"""Put the units in force that laboratory files write most; others are proposed and approved.

The texts are those of the unit definitions of Allotrope files. Left out on purpose: `M`, which is
molar here and mega there, and `TODO`. Both micro signs (U+00B5, U+03BC) are spelled out.
"""

from datetime import UTC, datetime
from typing import Any

from django.db import migrations

BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
ORIGIN = "aliases-2026.1"
# What is written -> UCUM code, how it is shown, what it measures.
ALIASES = (
    ("#", "{#}", "#", "count"),
    ("cell", "{cells}", "cells", "count"),
    ("Counts", "{counts}", "counts", "count"),
    ("#/\u00b5L", "{#}/uL", "#/µL", "count-concentration"),
    ("#/\u03bcL", "{#}/uL", "#/µL", "count-concentration"),
    ("Counts/\u00b5L", "{counts}/uL", "counts/µL", "count-concentration"),
    ("Counts/\u03bcL", "{counts}/uL", "counts/µL", "count-concentration"),
    ("Counts/mL", "{counts}/mL", "counts/mL", "count-concentration"),
    ("Counts/s", "{counts}/s", "counts/s", "count-rate"),
    ("Counts.s", "{counts}.s", "counts·s", "count-time"),
    ("10^6 cells/mL", "10*6.{cells}/mL", "10⁶ cells/mL", "cell-concentration"),
    ("(unitless)", "1", "1", "ratio"),
    ("%", "%", "%", "ratio"),
    ("ppm", "[ppm]", "ppm", "ratio"),
    ("ppb", "[ppb]", "ppb", "ratio"),
    ("mL/L", "mL/L", "mL/L", "ratio-of-volumes"),
    ("pH", "[pH]", "pH", "acidity"),
    ("mAU", "m[AU]", "mAU", "absorbance"),
    ("m{AU}", "m[AU]", "mAU", "absorbance"),
    ("OD", "[AU]", "AU", "absorbance"),
    ("mAU.s", "m[AU].s", "mAU·s", "absorbance-time"),
    ("mAU.mL", "m[AU].mL", "mAU·mL", "absorbance-volume"),
    ("RFU", "{RFU}", "RFU", "fluorescence"),
    ("RFU.s", "{RFU}.s", "RFU·s", "fluorescence-time"),
    ("RFU.mL", "{RFU}.mL", "RFU·mL", "fluorescence-volume"),
    ("RLU", "{RLU}", "RLU", "luminescence"),
    ("RLU.s", "{RLU}.s", "RLU·s", "luminescence-time"),
    ("RLU.mL", "{RLU}.mL", "RLU·mL", "luminescence-volume"),
    ("degC", "Cel", "°C", "temperature"),
    ("g/L", "g/L", "g/L", "mass-concentration"),
    ("mg/L", "mg/L", "mg/L", "mass-concentration"),
    ("mg/mL", "mg/mL", "mg/mL", "mass-concentration"),
    ("ug/mL", "ug/mL", "µg/mL", "mass-concentration"),
    ("ug/\u00b5L", "ug/uL", "µg/µL", "mass-concentration"),
    ("ug/\u03bcL", "ug/uL", "µg/µL", "mass-concentration"),
    ("ng/mL", "ng/mL", "ng/mL", "mass-concentration"),
    ("ng/\u00b5L", "ng/uL", "ng/µL", "mass-concentration"),
    ("ng/\u03bcL", "ng/uL", "ng/µL", "mass-concentration"),
    ("pg/mL", "pg/mL", "pg/mL", "mass-concentration"),
    ("mmol/L", "mmol/L", "mmol/L", "amount-concentration"),
    ("nM", "nmol/L", "nmol/L", "amount-concentration"),
    ("U/L", "U/L", "U/L", "enzyme-activity-concentration"),
    ("kDa", "kDa", "kDa", "molar-mass"),
    ("mosm/kg", "mosm/kg", "mosm/kg", "osmolality"),
    ("mL", "mL", "mL", "volume"),
    ("mm^3", "mm3", "mm³", "volume"),
    ("\u00b5L", "uL", "µL", "volume"),
    ("\u03bcL", "uL", "µL", "volume"),
    ("mL/min", "mL/min", "mL/min", "flow-of-volume"),
    ("\u00b5L/min", "uL/min", "µL/min", "flow-of-volume"),
    ("\u03bcL/min", "uL/min", "µL/min", "flow-of-volume"),
    ("cm", "cm", "cm", "length"),
    ("mm", "mm", "mm", "length"),
    ("\u00b5m", "um", "µm", "length"),
    ("\u03bcm", "um", "µm", "length"),
    ("nm", "nm", "nm", "length"),
    ("s", "s", "s", "time"),
    ("ms", "ms", "ms", "time"),
    ("s^-1", "/s", "1/s", "rate"),
    ("Hz", "Hz", "Hz", "frequency"),
    ("mmHg", "mm[Hg]", "mmHg", "pressure"),
    ("mV", "mV", "mV", "voltage"),
    ("mV.s", "mV.s", "mV·s", "voltage-time"),
    ("pA", "pA", "pA", "current"),
    ("pA.s", "pA.s", "pA·s", "charge"),
    ("nC", "nC", "nC", "charge"),
    ("nC.s", "nC.s", "nC·s", "charge-time"),
    ("S/m", "S/m", "S/m", "conductivity"),
    ("cm^2/g", "cm2/g", "cm²/g", "mass-attenuation"),
    ("cm^2/mol", "cm2/mol", "cm²/mol", "molar-attenuation"),
    ("KG", "kg", "kg", "mass"),
)


def put_in_force(apps: Any, schema_editor: Any) -> None:
    aliases = apps.get_model("exchange", "UnitAlias").objects.using(schema_editor.connection.alias)
    if aliases.exists():
        return
    for raw, code, display, dimension in ALIASES:
        aliases.create(
            raw=raw, version=1, code=code, display=display, dimension=dimension, origin=ORIGIN,
            state="effective", proposed_at=BEGINNING, reason="came with the product",
        )  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [("exchange", "0005_messages")]
    operations = [migrations.RunPython(put_in_force, migrations.RunPython.noop)]
