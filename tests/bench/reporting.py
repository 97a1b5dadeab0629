"""Print the figures of a run, and write them as JSON and as the tables that README quotes."""

import json
import platform
from collections.abc import Mapping
from dataclasses import asdict
from importlib import metadata
from pathlib import Path

import psutil
from django.db.backends.utils import CursorWrapper

from tests.bench.measuring import Row

_WORKLOADS = {
    "create": "create, one transaction each", "get_save": "get and save, one transaction each",
    "bulk_create": "bulk_create", "queryset_update": "queryset.update",
}  # fmt: skip
_CAPTURED = ("create", "save", "update", "bulk_create", "bulk_update", "raw_sql", "m2m", "cascade")


def server(cursor: CursorWrapper) -> str:
    """Say which database server it is, what it promises about a commit, and how it runs captures."""
    cursor.execute(
        "SELECT version(), current_setting('fsync'), current_setting('synchronous_commit'), "
        "current_setting('gmp_capture.native', true)"
    )
    version, fsync, commit, native = cursor.fetchone()
    captures = "machine code" if native == "on" else "SQL"
    return (
        f"{version.split(' on ')[0]}, fsync {fsync}, synchronous_commit {commit}, "
        f"captures as {captures}"
    )


def report(
    rows: list[Row], *, server: str, entries: int, peers: Mapping[str, str], folder: Path
) -> None:
    """Print the table, and write trail.json and trail.md."""
    ran_on = (
        f"{psutil.cpu_count()} cores ({_cpu_model()}, {platform.machine()}), "
        f"Python {platform.python_version()}, {server}, {entries:,} entries"
    )
    print(f"trail: {ran_on}")
    print(f"{'name':<34}{'value':>14}  {'unit':<15}{'baseline':>13}{'ratio':>7}  spread")
    for row in rows:
        print(line(row))
    path = folder / "trail.json"
    found = [{k: v for k, v in asdict(row).items() if k != "spread"} for row in rows]
    path.write_text(json.dumps(found, indent=2) + "\n")
    (folder / "trail.md").write_text(markdown(rows, ran_on=ran_on, peers=peers))
    print(f"written to {path} and {path.with_suffix('.md')}")


def line(row: Row) -> str:
    baseline = "" if row.baseline is None else f"{row.baseline:,.3f}"
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    spread = "" if row.spread is None else f"{row.spread[0]:,.2f} to {row.spread[1]:,.2f}"
    return (
        f"{row.name:<34}{row.value:>14,.3f}  {row.unit:<15}{baseline:>13}{ratio:>7}  {spread}"
    ).rstrip()


def markdown(rows: list[Row], *, ran_on: str, peers: Mapping[str, str]) -> str:
    """Return the tables that README quotes."""
    found = {row.name: row for row in rows}
    return "\n".join(
        [
            f"One run of `make bench PART=trail` on {ran_on}. CPU is that of the client and its",
            "database process, audited and plain in turns; in brackets the least and the greatest",
            "ratio of the rounds.", "",
            *_costs(found), "", *_log(found), "", *_ratios(found, peers), "",
            *_captured(found, peers), "",
        ]
    )  # fmt: skip


def _costs(found: Mapping[str, Row]) -> list[str]:
    lines = ["| workload | audited | plain | ratio |", "|---|---|---|---|"]
    for name, words in _WORKLOADS.items():
        row = found[name]
        least, greatest = row.spread or (0, 0)
        lines.append(
            f"| {words} | {row.value:,.1f} us CPU a row | {row.baseline:,.1f} us | "
            f"{row.ratio:.2f} ({least:.2f} to {greatest:.2f}) |"
        )
    return lines


def _log(found: Mapping[str, Row]) -> list[str]:
    lines = ["| figure | value | beside | ratio |", "|---|---|---|---|"]
    for name in (
        "writers_16", "writers_16_sealing", "seal_slowdown", "seal_rate", "seal_rate_wall",
        "project_rate", "verify_rate", "proof_ms", "timeline_growth", "log_growth", "bytes_per_entry",
        "bytes_per_insert", "bytes_per_sealed",
    ):  # fmt: skip
        if row := found.get(name):
            baseline = "" if row.baseline is None else f"{row.baseline:,.2f}"
            ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
            lines.append(f"| {name} | {row.value:,.2f} {row.unit} | {baseline} | {ratio} |")
    return lines


def _ratios(found: Mapping[str, Row], peers: Mapping[str, str]) -> list[str]:
    """Compare the CPU ratios; a product that captures nothing costs nothing."""
    lines = [
        "| product | create | get and save | bulk_create | queryset.update | bytes an update |",
        "|---|---|---|---|---|---|",
    ]
    words = {"create": "create", "get_save": "save", "queryset_update": "update"}
    for prefix, title in _products(peers):
        cells = []
        for name in _WORKLOADS:
            captured = found[f"{prefix}captured_{words.get(name, name)}"]
            ratio = f"{found[prefix + name].ratio:.2f}"
            cells.append(ratio if captured.value else f"captures nothing ({ratio})")
        size = found[f"{prefix}bytes_per_{'update' if prefix else 'entry'}"].value
        lines.append(f"| {title} | {' | '.join(cells)} | {size:,.0f} |")
    return lines


def _captured(found: Mapping[str, Row], peers: Mapping[str, str]) -> list[str]:
    products = _products(peers)
    lines = [
        f"| rows recorded of rows changed | {' | '.join(title for _, title in products)} |",
        "|---" * (len(products) + 1) + "|",
    ]
    for name in _CAPTURED:
        rows = [found[f"{prefix}captured_{name}"] for prefix, _ in products]
        cells = " | ".join(f"{row.value:.0f} of {row.baseline:.0f}" for row in rows)
        lines.append(f"| {name.replace('_', ' ')} | {cells} |")
    return lines


def _products(peers: Mapping[str, str]) -> list[tuple[str, str]]:
    named = [(f"{name}_", f"{dist} {metadata.version(dist)}") for name, dist in peers.items()]
    return [("", "this product"), *named]


def _cpu_model() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor()
