"""Show how far the demonstration is: one line a step, with bars where something takes time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

Advance = Callable[[int, int, str], None]  # done, total, what


class Display:
    """Print steps as they happen; in a pipe or log the bars become plain lines."""

    def __init__(self) -> None:
        self.console = Console(highlight=False)

    def step(self, text: str) -> None:
        self.console.print(f"[bold]•[/bold] {escape(text)}", soft_wrap=True)

    def say(self, text: str) -> None:
        self.console.print(f"  {text}", markup=False, soft_wrap=True)

    @contextmanager
    def bar(self, text: str) -> Iterator[Advance]:
        """Show a bar while a block runs; the block reports (done, total, what)."""
        columns = (
            TextColumn("  {task.description}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("[dim]{task.fields[what]}"),
        )
        with Progress(*columns, console=self.console, refresh_per_second=4) as progress:
            task = progress.add_task(text, total=None, what="")

            def advance(done: int, total: int, what: str) -> None:
                progress.update(task, completed=done, total=total, what=what[:40])

            yield advance
