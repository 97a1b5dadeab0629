"""Hold a vector drawing as plain shapes, measured in points from its lower left corner."""

from dataclasses import dataclass
from typing import TypeAlias

Point: TypeAlias = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Path:
    """Draw straight lines through points."""

    points: tuple[Point, ...]
    stroke: str
    width: float = 0.5
    dash: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Area:
    """Fill the polygon between points."""

    points: tuple[Point, ...]
    fill: str


@dataclass(frozen=True, kw_only=True)
class Dot:
    """Fill a small circle."""

    x: float
    y: float
    radius: float
    fill: str


@dataclass(frozen=True, kw_only=True)
class Label:
    """Write a line of text; `anchor` is start, middle or end."""

    x: float
    y: float
    text: str
    size: float
    fill: str
    anchor: str = "start"
    is_bold: bool = False


Shape: TypeAlias = Path | Area | Dot | Label


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """Hold shapes in drawing order, with a title and a description for those who cannot see them."""

    width: float
    height: float
    title: str
    description: str
    shapes: tuple[Shape, ...]
