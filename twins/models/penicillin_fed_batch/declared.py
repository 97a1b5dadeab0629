"""What the penicillin fed-batch twin declares: intended use, inputs, outputs and where it holds."""

from twins.models.declarations import Declaration, Input, Range, State
from twins.models.penicillin_fed_batch import layout as at
from twins.models.penicillin_fed_batch import measuring
from twins.models.penicillin_fed_batch.parameters import PARAMETERS

_STATE_UNITS = (
    "g/L", "mg/L", "1", "g/L", "L", "kg", "[pH]", "K", "kJ", "cP", "g.h/L", "g/L", "g/L", "g/L", "g/L",
    *("/cm/L",) * 11, "cm3/L", "%", "g/L", "mg/L", "mg/L", "1", "1",
)  # fmt: skip
_INPUT_UNITS = (
    "m3/min", "/min", "L/h", "L/h", "L/h", "L/h", "L/h", "L/h", "L/h", "L/h", "bar", "kg/h", "kg/h",
)  # fmt: skip

# The input space of the source's recipe and of its faults, under the tag that measures it.
DOMAIN: dict[str, Range] = {
    "Fg": Range("aeration", 15.0, 100.0, "m3/min"),
    "RPM": Range("agitator", 80.0, 120.0, "/min"),
    "Fpaa": Range("precursor feed", 0.0, 20.0, "L/h"),
    "Fs": Range("sugar feed", 0.0, 250.0, "L/h"),
    "Fa": Range("acid", 0.0, 20.0, "L/h"),
    "Fb": Range("base", 0.0, 300.0, "L/h"),
    "Foil": Range("oil feed", 10.0, 50.0, "L/h"),
    "Fw": Range("water", 0.0, 700.0, "L/h"),
    "pressure": Range("head pressure", 0.4, 2.5, "bar"),
    "Fremoved": Range("discharge", -5000.0, 0.0, "kg/h"),
    "T": Range("temperature", 290.0, 308.0, "K"),
    "pH": Range("pH", 5.2, 7.5, "[pH]"),
}
VOLUME_DOMAIN = Range("volume", 30000.0, 110000.0, "L")
TIME_DOMAIN = Range("time since inoculation", 0.0, 300.0, "h")
HORIZON_DOMAIN = Range("horizon", 1.0, 96.0, "h")

DECLARATION = Declaration(
    name="penicillin-fed-batch",
    intended_use=(
        "Advice beside a running industrial fed-batch of P. chrysogenum with phenylacetic acid as "
        "precursor: hidden penicillin, biomass and sugar between laboratory values, how far each "
        "instrument is from what was expected of it, and the probability that a limit of the recipe is "
        "crossed within the horizon, when, and through which variables. A person decides. Not for "
        "release, not for closed-loop control, not for other strains, vessels or feeds."
    ),
    states=tuple(State(*one) for one in zip(at.STATE_NAMES, _STATE_UNITS, strict=True)),
    inputs=tuple(
        Input(name, unit, tag)
        for name, unit, tag in zip(
            at.INPUT_NAMES, _INPUT_UNITS, (*measuring.INPUT_TAGS, "ammonia_kg_h"), strict=True
        )
    ),
    parameters=PARAMETERS,
    uncertain=measuring.UNCERTAIN,
    outputs=measuring.OUTPUTS,
    domain=(*DOMAIN.values(), VOLUME_DOMAIN, TIME_DOMAIN, HORIZON_DOMAIN),
)
