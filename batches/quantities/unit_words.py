"""Write units for people: what a code of UCUM is called on a label, in a method, on a display."""

# Where there is an approved spelling, it is that one (`units` reads it as the same unit); what is not
# here reads well as it is.
_SHOWN = {
    "Cel": "°C", "[degF]": "°F", "[pH]": "pH", "{rpm}": "rpm", "[g]": "× g",
    "ug": "µg", "uL": "µL", "umol": "µmol", "um": "µm", "ug/mL": "µg/mL", "umol/L": "µmol/L",
    "uS/cm": "µS/cm", "m2": "m²", "cm2": "cm²", "m3": "m³", "cm3": "cm³", "kg/m3": "kg/m³",
    "m3/h": "m³/h", "%{w/w}": "% (w/w)", "%{w/v}": "% (w/v)", "%{v/v}": "% (v/v)",
    "%{sat}": "% air saturation", "%{RH}": "% RH", "[ppth]": "‰", "[ppm]": "ppm", "[ppb]": "ppb",
    "[psi]": "psi", "[lb_av]": "lb", "[oz_av]": "oz", "[gal_us]": "US gal", "[in_i]": "inch",
    "Pa.s": "Pa·s", "mPa.s": "mPa·s", "N.m": "N·m", "N.cm": "N·cm", "[in_i].[lbf_av]": "in·lb",
    "[iU]": "IU", "k[iU]": "kIU", "M[iU]": "MIU", "[iU]/mg": "IU/mg", "[iU]/mL": "IU/mL",
    "[EU]": "EU", "[EU]/mL": "EU/mL", "[CFU]": "CFU", "[CFU]/mL": "CFU/mL", "[NTU]": "NTU",
    "[AU]": "AU", "{cells}/mL": "cells/mL", "10*5.{cells}/mL": "10^5 cells/mL",
    "10*6.{cells}/mL": "10⁶ cells/mL", "osm/kg": "Osm/kg", "mosm/kg": "mOsm/kg",
    "10*6/mL": "10⁶/mL", "{particles}/m3": "particles/m³", "{vvm}": "vvm", "{vial}": "vials",
    "{label}": "labels", "{tablet}": "tablets", "{capsule}": "capsules", "{carton}": "cartons",
    "{piece}": "pieces",
}  # fmt: skip


def shown(unit: str) -> str:
    """Return a unit as people read it, any other text unchanged."""
    return _SHOWN.get(unit, unit)
