"""Find what is late in the lists of quality, and mark it."""

from datetime import date
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from compliance.access import page_parts


class Due(SimpleListFilter):
    """Find what is late: the column and the ends are said by the list."""

    title = "due date"
    parameter_name = "due"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        self._due: str = model_admin.due_column
        self._ends: tuple[str, ...] = model_admin.ended
        return [("overdue", "Overdue"), ("open", "Open")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in ("overdue", "open"):
            return queryset
        still_open = queryset.exclude(state__in=self._ends)
        if self.value() == "open":
            return still_open
        return still_open.filter(**{f"{self._due}__lt": timezone.now().date()})


def shown(due_on: date | None, *, is_open: bool) -> str:
    """Write a due date, and mark it when it has passed."""
    if due_on is None or not is_open:
        return ""
    if due_on < timezone.now().date():
        return page_parts.badge(f"overdue since {due_on}", "bad")
    return page_parts.day(due_on)
