"""The main job as `make demo` runs it: whole, killed in the middle, and on other people's data."""

import csv
import json
import re
import shutil
import subprocess
import time
from collections import Counter
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from tests.journeys.conftest import Installation

EVENTS = (
    "from batches.execution.models import BatchEvent as E, ReadingSegment as S; "
    "print(E.objects.count(), E.objects.values('source', 'message_id').distinct().count(), "
    "S.objects.count(), sum(S.objects.values_list('count', flat=True)))"
)


def _pdf(output: str) -> Path:
    found = re.search(r"PDF: (\S+\.pdf)", output)
    assert found, output
    return Path(found[1])


def _must_be_valid(pdf: Path) -> None:
    if shutil.which("pdfsig") is None or shutil.which("qpdf") is None:
        pytest.skip("pdfsig and qpdf are not on this machine")
    signature = subprocess.run(["pdfsig", str(pdf)], capture_output=True, text=True, check=False)
    assert "Signature is Valid" in signature.stdout
    assert "Total document signed" in signature.stdout
    subprocess.run(["qpdf", "--check", str(pdf)], capture_output=True, check=True)


@pytest.mark.timeout(2400)
def test_the_main_job_survives_kill_9_of_worker_sequencer_broker_and_web(
    installation: Installation,
) -> None:
    demo = installation.start("demo", "--no-serve")
    time.sleep(1)
    for name in ("web", "worker", "sequencer"):
        installation.kill(name)
        time.sleep(1.5)
    installation.kill_server("valkey")
    output, _ = demo.communicate(timeout=2300)

    assert demo.returncode == 0, output
    assert "with probability" in output
    assert "investigated, signed and closed by two people" in output
    assert "release refused" in output
    _must_be_valid(_pdf(output))
    events, distinct, segments, samples = map(int, installation.ask(EVENTS).split())
    assert events == distinct
    # Two batches of 12 days, eight tags every ten minutes, in posts of six hours.
    assert samples == 2 * 8 * (12 * 24 * 6 + 1)
    assert segments == 2 * 48
    verified = installation.manage("trail", "verify")
    assert verified.returncode == 0, verified.stdout
    assert " 0 unsealed" in verified.stdout
    replayed = installation.manage("replay", "--all")
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr


@pytest.mark.shared
@pytest.mark.timeout(1800)
def test_the_vial_log_is_taken_in_and_every_number_of_the_inspector_is_true(
    installation: Installation, shared: Path
) -> None:
    folder = shared / "data" / "mes_vials"

    done = installation.manage("demo", "--no-serve", "--data", str(folder))

    assert done.returncode == 0, done.stdout + done.stderr
    _must_be_valid(_pdf(done.stdout))
    read = (
        "import json; from compliance.inspection.models import CheckResult as R; "
        "print(json.dumps({r.check_id: [r.verdict, r.text, r.examined, r.failing] "
        "for r in R.objects.all()}))"
    )
    found = json.loads(installation.ask(read))
    text = {check_id: said[1] for check_id, said in found.items() if said[0] == "finding"}
    log = (folder / "MES_Production_Log.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(log.splitlines()))
    outside = [
        row
        for row in rows
        if not Decimal("49.5") <= Decimal(row["Value_Measured"]) <= Decimal("50.5")
    ]
    alarms = [row for row in rows if row["Critical_Alarm"] == "1"]
    people = Counter(row["Operator"] for row in rows)
    assert {"BR-01", "BR-03", "BR-04", "BR-07", "BR-11", "QS-05", "SG-01", "DI-09"} == set(text)
    assert [row["Value_Measured"] for row in outside] == ["500.0", "48.5"]
    # The excursions: one is nobody's deviation, the other a slip of the decimal point.
    assert "48.5 mg at 2026-02-15 07:00:00 (Fill_Vial, line 122)" in text["BR-04"]
    assert "500.0 mg at 2026-02-15 06:25:00 (Labeling, line 52)" in text["BR-07"]
    assert f"none of the {len(rows)} measurements names the equipment" in text["BR-01"]
    # Alarms: none on the values outside, all on values within.
    assert not [row for row in outside if row["Critical_Alarm"] == "1"]
    assert "no critical alarm is recorded for 2 values outside limits" in text["QS-05"]
    assert f"all {len(alarms)} critical alarms" in text["QS-05"]
    # The report against the log: four claims do not hold, four do.
    assert "states the time 2026-02-16 06:24:15; there is no record at that time" in text["BR-11"]
    assert "states the step Fill_Vial; 500.0 mg is recorded at Labeling" in text["BR-11"]
    assert "states equipment Scale-VF-04; no record of the batch names it" in text["BR-11"]
    assert "the record of it carries no critical alarm" in text["BR-11"]
    assert found["BR-11"][2:] == [8, 4]
    assert sum(row["Operator"] == "OP_ES_03" for row in alarms) == 17
    for operator, number in people.items():
        assert f"“{operator}”, named as performer of {number} events" in text["SG-01"]
    # Every line 30 seconds after the other, whoever did whatever.
    assert f"all {len(rows) - 1} intervals" in text["DI-09"]
    assert "are exactly 30 seconds" in text["DI-09"]
    order = ["Check_Tare", "Fill_Vial", "Weight_Final", "Capping", "Labeling"]
    steps = [order.index(row["Step"]) for row in rows]
    back = sum(later < earlier for earlier, later in pairwise(steps))
    assert f"{back} of {len(rows) - 1} successive records go back" in text["BR-03"]


def test_a_folder_with_nothing_to_read_is_refused_with_what_to_do(
    installation: Installation, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("nothing")

    done = installation.manage("demo", "--no-serve", "--data", str(tmp_path))

    assert done.returncode == 1
    assert "holds nothing this product reads; docs/data.md lists the formats" in done.stderr
