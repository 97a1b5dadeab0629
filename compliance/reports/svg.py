"""Write a drawing as SVG that needs nothing from anywhere else."""

from xml.sax.saxutils import escape, quoteattr

from compliance.reports.drawing import Area, Dot, Drawing, Label, Path, Point, Shape


def write(drawing: Drawing) -> bytes:
    """Write SVG with presentation attributes only, so that any content security policy allows it."""
    width, height = _number(drawing.width), _number(drawing.height)
    shapes = "\n".join(_shape(shape, drawing.height) for shape in drawing.shapes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img" '
        f'font-family="Noto Sans, DejaVu Sans, sans-serif">\n'
        f"<title>{escape(drawing.title)}</title>\n"
        f"<desc>{escape(drawing.description)}</desc>\n"
        f"{shapes}\n</svg>\n"
    ).encode()


def _shape(shape: Shape, height: float) -> str:
    match shape:
        case Path():
            dash = " ".join(_number(length) for length in shape.dash)
            return (
                f'<polyline points="{_points(shape.points, height)}" fill="none" '
                f'stroke="{shape.stroke}" stroke-width="{_number(shape.width)}" '
                f'stroke-linejoin="round"' + (f' stroke-dasharray="{dash}"' if dash else "") + "/>"
            )
        case Area():
            return f'<polygon points="{_points(shape.points, height)}" fill="{shape.fill}"/>'
        case Dot():
            return (
                f'<circle cx="{_number(shape.x)}" cy="{_number(height - shape.y)}" '
                f'r="{_number(shape.radius)}" fill="{shape.fill}"/>'
            )
        case Label():
            bold = ' font-weight="bold"' if shape.is_bold else ""
            return (
                f'<text x="{_number(shape.x)}" y="{_number(height - shape.y)}" '
                f'font-size="{_number(shape.size)}" fill="{shape.fill}" '
                f"text-anchor={quoteattr(shape.anchor)}{bold}>{escape(shape.text)}</text>"
            )


def _points(points: tuple[Point, ...], height: float) -> str:
    return " ".join(f"{_number(x)},{_number(height - y)}" for x, y in points)


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
