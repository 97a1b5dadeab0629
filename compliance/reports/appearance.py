"""Draw what a seal looks like on the page, with embedded fonts."""

from datetime import datetime
from io import BytesIO
from typing import Any

from pyhanko.pdf_utils import content, layout
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.stamp import StaticStampStyle

from compliance.reports import moments, palette, typefaces
from compliance.reports.paper import Paper, Style

WIDTH, HEIGHT = 234.0, 60.0
NAME = Style(9.0, face=typefaces.BOLD, colour=palette.ACCENT)
LINE = Style(7.0, leading=1.3)


def style(*, name: str, reason: str, location: str, at: datetime) -> StaticStampStyle:
    """Give a stamp that shows whose seal it is, why, where and when."""
    paper = Paper(size=(WIDTH, HEIGHT), at=at)
    paper.fill(0, 0, 2.4, HEIGHT, colour=palette.ACCENT)
    y = HEIGHT - 14
    for text, look in (
        (name, NAME),
        (moments.written(at), LINE),
        (location, LINE),
        (reason, LINE),
    ):
        for line in typefaces.wrapped(text, face=look.face, size=look.size, room=WIDTH - 16):
            if y > 2:
                paper.text(10, y, line, style=look)
            y -= look.line
    return StaticStampStyle(
        border_width=0,
        background=_Drawn(paper.finished()),
        background_opacity=1.0,
        background_layout=layout.SimpleBoxLayoutRule(
            x_align=layout.AxisAlignment.ALIGN_MID,
            y_align=layout.AxisAlignment.ALIGN_MID,
            margins=layout.Margins(0, 0, 0, 0),
        ),
    )


class _Drawn(content.PdfContent):
    """Take a page from memory: temporary files would be shared between threads."""

    def __init__(self, pdf: bytes) -> None:
        super().__init__(box=layout.BoxConstraints(width=WIDTH, height=HEIGHT))
        self._pdf = pdf

    def render(self) -> bytes:
        writer: Any = self.writer
        page = writer.import_page_as_xobject(PdfFileReader(BytesIO(self._pdf)))
        self.set_resource(content.ResourceType.XOBJECT, pdf_name("/Seal"), page)
        return b"/Seal Do"
