"""Show trends of deviations and the figures of the management review as charts and numbers."""

from datetime import date
from typing import Any

from compliance.access.page_parts import Bar, Bars, Facts, Note, Page, Part, Section, Table
from compliance.quality import overdue_work, trends
from compliance.quality.kpis import Share
from compliance.quality.models import Category, RootCause, Severity


def shown(*, on: date) -> dict[str, Any]:
    """Return the page and its sections as of a day."""
    found = trends.of_months(until=on)
    sections = [
        Section("Deviations by month of occurrence", [_months(found)]),
        Section("By category", [_bars(found.by_category, dict(Category.choices))], is_wide=False),
        Section("By severity", [_bars(found.by_severity, dict(Severity.choices))], is_wide=False),
        Section("By root cause", [_bars(found.by_cause, dict(RootCause.choices))], is_wide=False),
        Section("Figures of the management review", [_figures(on)], is_wide=False),
        Section("Late work", [_late(on)]),
    ]
    page = Page("Trends and figures", f"Twelve months until {on}")
    return {"page": page, "sections": sections, "acts": []}


def _months(found: trends.Trends) -> Part:
    if not any(month.count for month in found.months):
        return Note("No deviation occurred in these months.")
    bars = [
        Bar(
            month.label,
            month.count,
            ", ".join(
                f"{count} {Severity(name).label.lower()}"
                for name, count in sorted(month.by_severity.items())
            )
            or "none",
        )
        for month in found.months
    ]
    return Bars(bars)


def _bars(counted: Any, labels: dict[Any, Any]) -> Part:
    if not counted:
        return Note("Nothing to count.")
    return Bars([Bar(str(labels.get(name) or name), count, str(count)) for name, count in counted])


def _figures(on: date) -> Part:
    pack = trends.pack(on=on)
    days = "" if pack.days_to_close is None else f"{pack.days_to_close} days"
    return Facts(
        [
            ("Deviations closed by their due date", _share(pack.deviations_on_time)),
            ("CAPA implemented by their due date", _share(pack.capa_on_time)),
            ("CAPA found effective", _share(pack.capa_effective)),
            ("Recurrences among closed deviations", _share(pack.recurrences)),
            ("Median from opening to closure", days or "nothing to count"),
            *((one.title, _share(one.share)) for one in pack.others),
        ]
    )


def _share(share: Share) -> str:
    if share.percent is None:
        return "nothing to count"
    return f"{share.percent} % ({share.part} of {share.whole})"


def _late(on: date) -> Part:
    rows = [
        [late.number, late.what, f"{late.due_on}", str((on - late.due_on).days)]
        for late in overdue_work.everything(on=on)
    ]
    columns = ["Record", "To do", "Due", "Days overdue"]
    return Table(columns, rows, empty="Nothing is late.", numeric=["Days overdue"])
