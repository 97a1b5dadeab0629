"""Real FMUs give the answers of the twin that they are copies of; bad ones leave a refusal."""

import ctypes
import platform
from pathlib import Path

import numpy as np
import pytest

from compliance.refusals import Refused
from tests.twins.models.co_simulation import fmus
from tests.twins.models.co_simulation.fmus import Plan
from twins.models.cho_fed_batch import cross_check
from twins.models.cho_fed_batch import simulation as own
from twins.models.cho_fed_batch.equations import SCALE
from twins.models.co_simulation import archives, processes, simulation
from twins.models.co_simulation.declared import Description
from twins.models.co_simulation.processes import Limits
from twins.models.co_simulation.simulation import Inputs

pytestmark = [fmus.needs_compiler, fmus.needs_fmpy]

QUICK = Limits(cpu_s=2, wall_s=20.0, memory_bytes=256 << 20)


def inputs(hours: int = 24, rate: float = 0.3) -> Inputs:
    times = np.arange(0.0, hours + 1.0)
    return Inputs(times, np.full((len(times), 1), rate))


def ran(plan: Plan, **asked: object) -> simulation.Run:
    data = fmus.build(plan)
    return simulation.simulate(data, processes.describe(data), inputs(), limits=QUICK, **asked)


@pytest.fixture(scope="module")
def described() -> Description:
    return processes.describe(fmus.build(Plan()))


@pytest.mark.parametrize("fmi", [2, 3])
def test_an_fmu_of_the_cho_fed_batch_follows_the_twin_over_twelve_days(fmi: int) -> None:
    data = fmus.build(Plan(fmi=fmi))
    rates = np.array([*cross_check.REFERENCE_RATES, 0.0])
    times = np.arange(0.0, 289.0)

    run = simulation.simulate(
        data, processes.describe(data), Inputs(times, rates[:, np.newaxis]), step=0.25, limits=QUICK
    )

    glucose, glutamine = cross_check.REFERENCE_FEED
    twin = own.simulate(
        cross_check.REFERENCE_INITIAL,
        ends_h=cross_check.REFERENCE_ENDS_H,
        rates_l_per_h=cross_check.REFERENCE_RATES,
        feed_glucose_mmol_l=glucose,
        feed_glutamine_mmol_l=glutamine,
    )
    apart = np.abs(run.outputs[:, :8] - twin.states.T) / (SCALE[:, 0] + np.abs(twin.states.T))
    assert float(apart.max()) < 1e-6
    assert 0.0 < (run.error or 0.0) < 1e-5
    assert run.step == 0.125


def test_a_description_has_units_ranges_and_starts(described: Description) -> None:
    feed = described.of("input")[0]

    assert (feed.column, feed.low, feed.high, feed.start) == ("feed_rate [L/h]", 0.0, 5.0, 0.0)
    assert (described.fmi, described.time_unit, described.default_step) == ("2", "h", 1.0)
    assert len(described.of("output")) == 9
    assert described.of("parameter")[0].variability == "fixed"


def test_both_versions_of_the_interface_give_the_same_bytes_every_time() -> None:
    found = {ran(Plan(fmi=fmi)).outputs.tobytes() for fmi in (2, 3, 2)}

    assert len(found) == 1


def test_a_parameter_changes_the_answer(described: Description) -> None:
    start = next(one for one in described.of("parameter") if "viable" in one.name)
    given = inputs()
    data = fmus.build(Plan())

    few = simulation.simulate(data, described, given, limits=QUICK)
    many = simulation.simulate(
        data, described, Inputs(given.times, given.values, ((start, 0.8),)), limits=QUICK
    )

    assert many.outputs[0, 0] == 0.8
    assert many.outputs[-1, 0] > 1.5 * few.outputs[-1, 0]


def test_a_run_with_steps_too_long_is_no_result(described: Description) -> None:
    times = np.array([0.0, 24.0, 48.0, 72.0])

    with pytest.raises(simulation.RunInaccurate, match="shorter than 24"):
        simulation.simulate(
            fmus.build(Plan()), described, Inputs(times, np.zeros((4, 1))), step=24.0, limits=QUICK,
            tolerance=1e-4,
        )  # fmt: skip


def test_an_fmu_whose_step_is_fixed_says_so() -> None:
    plan = Plan(fmi=3, attributes='fixedInternalStepSize="1"')

    run = ran(plan)

    assert run.error is None
    assert "fixed at 1 h" in run.note
    with pytest.raises(simulation.StepUnusable, match="multiple"):
        ran(plan, step=0.25)


@pytest.mark.parametrize("step", [0.7, 2.0, -1.0])
def test_a_step_that_does_not_fit_the_rows_is_refused(described: Description, step: float) -> None:
    with pytest.raises(simulation.StepUnusable):
        simulation.simulate(fmus.build(Plan()), described, inputs(), step=step)


@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [
        (fmus.CRASHES, processes.FmuCrashed),
        (fmus.LOOPS, processes.FmuOutOfTime),
        (fmus.GROWS, processes.FmuOutOfMemory),
        (fmus.NOT_FINITE, processes.FmuAnswerInvalid),
        (fmus.NEGATIVE, processes.FmuAnswerInvalid),
        (fmus.GIVES_UP, processes.FmuRunFailed),
        (fmus.EXITS, processes.FmuAnswerInvalid),
        (fmus.WRITES, processes.FmuAnswerInvalid),
        (fmus.ROLLS_DICE, simulation.NotDeterministic),
    ],
)
def test_an_fmu_that_misbehaves_is_refused_and_the_parent_lives(
    described: Description, behaviour: str, kind: type[Refused]
) -> None:
    with pytest.raises(kind):
        simulation.simulate(fmus.bad(behaviour), described, inputs(), limits=QUICK, tolerance=1.0)


def test_an_fmu_that_sleeps_for_ever_is_ended(described: Description) -> None:
    with pytest.raises(processes.FmuOutOfTime, match="after 2 s"):
        simulation.simulate(
            fmus.bad(fmus.SLEEPS), described, inputs(), limits=Limits(cpu_s=2, wall_s=2.0)
        )


def test_an_fmu_reaches_no_secret_no_network_and_no_other_process(
    described: Description, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "key"
    secret.write_text("secret")
    monkeypatch.setenv("GMP_SECRET_KEY", "secret")
    data = fmus.bad(fmus.PROBES.replace("FORBIDDEN", str(secret)))

    run = simulation.simulate(data, described, inputs(2), limits=QUICK)

    could = int(run.outputs[-1, -1])
    assert run.confinement == ("limits", *_layers_of_this_kernel())
    # Bit 0 holds everywhere; the others where the kernel has the layer.
    allowed = 0 if "files" in run.confinement else 2 | 32 | 128
    allowed |= 0 if "system calls" in run.confinement else 4 | 8 | 16 | 64
    assert could & ~allowed == 0


def _layers_of_this_kernel() -> list[str]:
    if platform.system() != "Linux":
        return []
    landlock_abi = ctypes.CDLL(None).syscall(444, None, 0, 1)
    return [*(["files"] if landlock_abi > 0 else []), "system calls"]


@pytest.mark.parametrize(
    ("plan", "kind"),
    [
        (Plan(said_version="3.0"), processes.FmuLibraryUnusable),
        (Plan(without="fmi2CancelStep"), processes.FmuLibraryUnusable),
    ],
)
def test_a_library_that_is_not_what_the_description_says_is_refused(
    described: Description, plan: Plan, kind: type[Refused]
) -> None:
    with pytest.raises(kind):
        simulation.simulate(fmus.build(plan), described, inputs(), limits=QUICK)


def test_a_library_that_is_none_is_refused(described: Description) -> None:
    place = f"binaries/{archives.platform_folder('2')}/{fmus.IDENTIFIER}.so"
    data = fmus.packed({archives.DESCRIPTION: b"<a/>", place: b"not a library"})

    with pytest.raises(processes.FmuLibraryUnusable):
        simulation.simulate(data, described, inputs(), limits=QUICK)


def test_an_output_that_the_library_does_not_know_is_refused() -> None:
    text = fmus.description(Plan()).replace('valueReference="50"', 'valueReference="51"')
    place = f"binaries/{archives.platform_folder('2')}/{fmus.IDENTIFIER}.so"
    library = archives_content(fmus.build(Plan()), place)
    data = fmus.packed({archives.DESCRIPTION: text.encode(), place: library})

    with pytest.raises(processes.FmuRunFailed):
        simulation.simulate(data, processes.describe(data), inputs(), limits=QUICK)


def archives_content(data: bytes, name: str) -> bytes:
    import io
    import zipfile

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.read(name)


_TEXT = fmus.description(Plan())


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (_TEXT.replace('fmiVersion="2.0"', 'fmiVersion="1.0"'), processes.FmuVersionUnsupported),
        (_TEXT.replace('fmiVersion="2.0"', 'fmiVersion="4.0"'), processes.FmuVersionUnsupported),
        (
            _TEXT.replace("CoSimulation", "ModelExchange").replace(
                ' canHandleVariableCommunicationStepSize="true"', ""
            ),
            processes.FmuNotCoSimulation,
        ),
        (_TEXT[:-20], processes.FmuDescriptionInvalid),
        (_TEXT.replace('guid="{1b2c}"', ""), processes.FmuDescriptionInvalid),
        (_TEXT.replace('min="0" max="5"', 'min="5" max="0"'), processes.FmuDescriptionInvalid),
        (_TEXT.replace('max="5" start="0"', 'max="5" start="9"'), processes.FmuDescriptionInvalid),
        (_TEXT.replace('min="0" max="5"', 'min="NaN" max="5"'), processes.FmuDescriptionInvalid),
        (_TEXT.replace('"culture"', '"../culture"'), processes.FmuDescriptionInvalid),
        (
            _TEXT.replace(
                "<fmiModelDescription ",
                '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><fmiModelDescription ',
                1,
            ).replace("CHO fed-batch", "&b;"),
            processes.FmuDescriptionInvalid,
        ),
        ("", processes.FmuDescriptionInvalid),
    ],
    ids=["fmi-1", "fmi-4", "model-exchange", "cut", "no-guid", "min-above-max", "start", "nan",
         "traversal", "entity", "empty"],
)  # fmt: skip
def test_a_bad_description_is_refused(text: str, kind: type[Refused]) -> None:
    with pytest.raises(kind):
        processes.describe(fmus.packed({archives.DESCRIPTION: text.encode()}), limits=QUICK)


def test_without_the_library_the_words_say_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(processes, "find_spec", lambda _: None)

    with pytest.raises(processes.FmuSupportMissing, match="pip install"):
        processes.describe(b"")
