"""Keep the pages of a document: header, footer, watermark and the place where drawing goes on."""

import math
from collections.abc import Callable

from reportlab.lib.pagesizes import A4

from compliance.reports import palette, qr, typefaces
from compliance.reports.document import Document
from compliance.reports.paper import Paper, Style

LEFT = 51.0
TOP = 56.0
BOTTOM = 92.0
QR_SIDE = 50.0
TOTAL, QR = "page-total", "verification-code"
SMALL = Style(6.8, colour=palette.QUIET)
HEADER = Style(7.6, colour=palette.QUIET)
HEADER_BOLD = Style(7.6, face=typefaces.BOLD)
WARNING = Style(7.6, face=typefaces.BOLD, colour=palette.ALARM)


class Pages:
    """Hand out room on pages from top to bottom; `y` is where the next mark goes."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.paper = Paper(size=A4, at=document.generated_at, language=document.language)
        self.left, self.right = LEFT, self.paper.width - LEFT
        self.top, self.bottom = self.paper.height - TOP, BOTTOM
        self.number = 0
        self.changes = 0
        self._bars = qr.bars(document.verify_url or document.verify_text, side=QR_SIDE)
        self.paper.describe(
            title=f"{document.title} {document.number}",
            author=document.product,
            subject=document.subtitle or document.title,
            keywords=f"record digest {document.digest}, tree size {document.tree_size}",
        )
        self._begin()

    @property
    def width(self) -> float:
        """Give the width between the margins."""
        return self.right - self.left

    @property
    def room(self) -> float:
        """Give the height left on this page."""
        return self.y - self.bottom

    @property
    def body(self) -> float:
        """Give the height of an empty page."""
        return self.top - self.bottom

    def need(self, height: float) -> None:
        """Turn the page unless this height, or a whole page, is left."""
        if self.room < min(height, self.body):
            self.turn()

    def turn(self) -> None:
        """End this page and begin the next."""
        self.paper.canvas.showPage()
        self._begin()

    def finished(self) -> bytes:
        """End the last page, fill in how many there are, and give the file."""
        self.paper.canvas.showPage()
        self._form(TOTAL, lambda: self.paper.text(0, 2, str(self.number), style=SMALL))
        self._form(QR, self._draw_code)
        return self.paper.finished()

    def _begin(self) -> None:
        self.number += 1
        self.y = self.top
        if self.document.watermark:
            self._watermark(self.document.watermark)
        self._header()
        self._footer()

    def _header(self) -> None:
        document, y = self.document, self.paper.height - 34
        wide = self.paper.text(self.left, y, document.product, style=HEADER_BOLD)
        self.paper.text(self.right, y, document.number, style=HEADER, anchor="end")
        taken = typefaces.width(
            typefaces.composed(document.number), face=HEADER.face, size=HEADER.size
        )
        title = typefaces.wrapped(
            document.title,
            face=HEADER.face,
            size=HEADER.size,
            room=max(self.width - wide - taken - 40, 60),
        )
        shown = title[0] + (" …" if len(title) > 1 else "")
        self.paper.text(self.left + wide + 12, y, shown, style=HEADER)
        self.paper.line([(self.left, y - 6), (self.right, y - 6)])
        if document.watermark:
            self.paper.text(
                (self.left + self.right) / 2,
                self.paper.height - 22,
                document.watermark,
                style=WARNING,
                anchor="middle",
            )

    def _footer(self) -> None:
        document, top = self.document, 80.0
        self.paper.line([(self.left, top), (self.right, top)])
        self.paper.text(
            self.left, top - 11, f"Record digest (SHA-256) {document.digest}", style=SMALL
        )
        self.paper.text(
            self.left,
            top - 20.5,
            f"Audit trail tree size {document.tree_size:,}".replace(",", "\u00a0"),
            style=SMALL,
        )
        room = self.width - QR_SIDE - 14
        how = typefaces.wrapped(
            f"Verify (steps at the end): {document.verify_text}",
            face=SMALL.face,
            size=SMALL.size,
            room=room,
        )
        for number, line in enumerate(how[:2]):
            more = " …" if number == 1 and len(how) > 2 else ""
            self.paper.text(self.left, top - 30 - 8.6 * number, line + more, style=SMALL)
        x = self.left
        x += self.paper.text(x, top - 52, f"Page {self.number} of ", style=SMALL)
        self._place(TOTAL, x, top - 54)
        self._place(QR, self.right - QR_SIDE, top - 5 - QR_SIDE)

    def _watermark(self, text: str) -> None:
        canvas, paper = self.paper.canvas, self.paper
        diagonal = math.hypot(paper.width, paper.height) * 0.72
        at_one = typefaces.width(typefaces.composed(text), face=typefaces.BOLD, size=1.0)
        size = min(diagonal / at_one, 110.0)
        canvas.saveState()
        canvas.translate(paper.width / 2, paper.height / 2)
        canvas.rotate(math.degrees(math.atan2(paper.height, paper.width)))
        style = Style(size, face=typefaces.BOLD, colour=palette.WATERMARK)
        paper.text(0, -size / 3, text, style=style, anchor="middle")
        canvas.restoreState()

    def _place(self, form: str, x: float, y: float) -> None:
        canvas = self.paper.canvas
        canvas.saveState()
        canvas.translate(x, y)
        canvas.doForm(form)
        canvas.restoreState()

    def _form(self, name: str, draw: Callable[[], object]) -> None:
        # Pages refer to these before they exist: one pass is enough for "of Y".
        self.paper.canvas.beginForm(name, 0, 0, 80, 80)
        draw()
        self.paper.canvas.endForm()

    def _draw_code(self) -> None:
        for bar in self._bars:
            self.paper.fill(bar.x, bar.y, bar.width, bar.height, colour=palette.INK)
