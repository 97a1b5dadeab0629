"""Words in which an FMU declares itself, as its description gives them."""

from dataclasses import dataclass
from typing import Literal

REALS = ("Real", "Float64")


@dataclass(frozen=True)
class Variable:
    """A variable of the FMU; `reference` is how its library knows it."""

    name: str
    reference: int
    kind: str
    is_scalar: bool
    causality: str
    variability: str
    unit: str
    start: float | None
    low: float | None
    high: float | None
    description: str

    @property
    def is_real(self) -> bool:
        """Tell whether it is one floating-point number."""
        return self.kind in REALS and self.is_scalar

    @property
    def column(self) -> str:
        """Return the name of its column in files: `name [unit]`."""
        return f"{self.name} [{self.unit}]" if self.unit else self.name

    def holds(self, value: float) -> bool:
        """Tell whether a value lies in the declared range."""
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


@dataclass(frozen=True)
class Description:
    """What modelDescription.xml says, as far as a run needs it or a person asks for it."""

    fmi_version: str
    model_name: str
    model_identifier: str
    token: str
    model_version: str
    description: str
    author: str
    license: str
    generation_tool: str
    generated_at: str
    time_unit: str
    default_step: float | None
    default_tolerance: float | None
    fixed_internal_step: float | None
    can_vary_step: bool
    needs_tool: bool
    variables: tuple[Variable, ...]

    @property
    def fmi(self) -> Literal["2", "3"]:
        """Return the major version of the interface."""
        return "2" if self.fmi_version.startswith("2") else "3"

    def of(self, causality: str) -> tuple[Variable, ...]:
        """Return the floating-point scalars of one causality, in their order."""
        return tuple(one for one in self.variables if one.causality == causality and one.is_real)

    @property
    def left_out(self) -> tuple[str, ...]:
        """Return the outputs that are no floating-point scalars: a run does not give them."""
        return tuple(
            one.name for one in self.variables if one.causality == "output" and not one.is_real
        )
