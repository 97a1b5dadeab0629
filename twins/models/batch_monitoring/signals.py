"""The signals of a penicillin fed-batch that the batch twin reads: name, unit and plausible range."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Signal:
    """One column of a campaign, with the range outside of which its unit must be another."""

    name: str
    unit: str
    low: float
    high: float


STEP_H = 0.2
# The laboratory reports so long after the sample was taken.
LABORATORY_DELAY_H = 4.0

ONLINE: tuple[Signal, ...] = (
    Signal("Fg", "m3/min", 0.0, 400.0),
    Signal("RPM", "1/min", 0.0, 1000.0),
    Signal("Fs", "l/h", 0.0, 1500.0),
    Signal("Fa", "l/h", 0.0, 1000.0),
    Signal("Fb", "l/h", 0.0, 2000.0),
    Signal("Fc", "l/h", 0.0, 20000.0),
    Signal("Fh", "l/h", 0.0, 20000.0),
    Signal("Fw", "l/h", 0.0, 5000.0),
    Signal("pressure", "bar", 0.0, 10.0),
    Signal("Fremoved", "l/h", -50000.0, 0.0),
    Signal("Fpaa", "l/h", 0.0, 500.0),
    Signal("Foil", "l/h", 0.0, 1000.0),
    Signal("DO2", "mg/l", -5.0, 60.0),
    Signal("Wt", "kg", 5000.0, 400000.0),
    Signal("pH", "pH", 0.0, 14.0),
    Signal("T", "K", 250.0, 380.0),
    Signal("Q", "kcal", -5000.0, 20000.0),
    Signal("CO2outgas", "%", -1.0, 60.0),
    Signal("O2", "-", -0.1, 1.0),
    Signal("OUR", "g/min", -100.0, 100.0),
    Signal("CER", "g/min", -100.0, 100.0),
)
LABORATORY: tuple[Signal, ...] = (
    Signal("lab_PAA", "mg/l", 0.0, 100000.0),
    Signal("lab_NH3", "mg/l", 0.0, 100000.0),
    Signal("lab_P", "g/l", 0.0, 500.0),
    Signal("lab_X", "g/l", 0.0, 500.0),
    Signal("lab_Viscosity", "cP", 0.0, 5000.0),
)
ONLINE_NAMES = tuple(one.name for one in ONLINE)
LABORATORY_NAMES = tuple(one.name for one in LABORATORY)

# What the recipe prescribes; the rest answers.
SET_POINTS = ("Fg", "RPM", "Fs", "Fw", "pressure", "Fpaa", "Foil")
# What the control loops of pH and temperature move.
LOOP_OUTPUTS = ("Fa", "Fb", "Fc", "Fh")
# Signals without noise of their own: silence is normal there.
WITHOUT_NOISE = ("RPM", "Fremoved", "Fa", "Fh")
