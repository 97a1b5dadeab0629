"""Start the process in which an FMU runs, end it in time, and believe nothing of what it says."""

import json
import math
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from compliance.refusals import Refused
from twins.models.co_simulation import archives
from twins.models.co_simulation.declared import Description, Variable

FloatArray = NDArray[np.float64]

_ROOT = Path(__file__).parents[3]
_PROGRAM = (
    f"import sys; sys.path.insert(0, {str(_ROOT)!r}); "
    "from twins.models.co_simulation import worker; worker.main()"
)
_HEADER_BYTES = 32 << 20
_LAST_WORDS = 300
_WAIT_S = 0.01
# An FMU that crashes with this share of its memory in use most likely got no more of it.
_FULL_SHARE = 0.5


class FmuSupportMissing(Refused):
    """The optional library that drives FMUs is not installed."""

    code = "fmu-support-missing"


class FmuDescriptionInvalid(Refused):
    """The model description is not what the standard says, or contradicts itself."""

    code = "fmu-description-invalid"
    status = 422


class FmuVersionUnsupported(Refused):
    """The FMU is of another version of FMI than 2.0 or 3."""

    code = "fmu-version-unsupported"
    status = 422


class FmuNotCoSimulation(Refused):
    """The FMU cannot simulate itself: it has no interface for co-simulation."""

    code = "fmu-not-co-simulation"
    status = 422


class FmuLibraryUnusable(Refused):
    """The library cannot be loaded, lacks functions, or is not what the description says."""

    code = "fmu-library-unusable"
    status = 422


class FmuRunFailed(Refused):
    """The FMU said itself that it cannot go on."""

    code = "fmu-run-failed"
    status = 422


class FmuCrashed(Refused):
    """The process of the FMU died."""

    code = "fmu-crashed"
    status = 422


class FmuOutOfTime(Refused):
    """The FMU used up its time."""

    code = "fmu-out-of-time"
    status = 422


class FmuOutOfMemory(Refused):
    """The FMU used up its memory."""

    code = "fmu-out-of-memory"
    status = 422


class FmuAnswerInvalid(Refused):
    """What the FMU gave is not finite, of another shape, or outside the range it declares."""

    code = "fmu-answer-invalid"
    status = 422


CODES: dict[str, tuple[type[Refused], str]] = {
    "description": (FmuDescriptionInvalid, "the model description is not valid"),
    "version": (FmuVersionUnsupported, "FMI 2.0 and 3 are supported; this FMU is of version"),
    "kind": (FmuNotCoSimulation, "co-simulation is needed; this FMU has"),
    "library": (FmuLibraryUnusable, "the library cannot be used"),
    "failed": (FmuRunFailed, "the FMU ended the run"),
    "memory": (FmuOutOfMemory, "the FMU used up its memory"),
}


@dataclass(frozen=True)
class Limits:
    """What a process of an FMU may use: seconds on the CPU and on the clock, bytes."""

    cpu_s: int = 120
    wall_s: float = 300.0
    memory_bytes: int = 1 << 30
    file_bytes: int = 256 << 20


@dataclass(frozen=True)
class Steps:
    """When to step and what to set: `counts[i]` steps end at row i, whose inputs hold from there."""

    start: float
    step: float
    counts: tuple[int, ...]
    inputs: FloatArray


@dataclass(frozen=True)
class Answer:
    """Outputs of shape (rows, outputs), and which confinement was in force."""

    outputs: FloatArray
    confinement: tuple[str, ...]


def require_support() -> None:
    """Raise `FmuSupportMissing` with the words how to install it."""
    if find_spec("fmpy") is None:
        raise FmuSupportMissing(
            "FMUs need FMPy, which is not installed: pip install 'gmp-twin[fmi]' (or: pip install "
            "fmpy), then try again"
        )


def describe(data: bytes, *, limits: Limits | None = None) -> Description:
    """Read what an FMU says of itself, in a process of its own; none of its code runs."""
    require_support()
    with tempfile.TemporaryDirectory(prefix="fmu-") as name:
        archives.unpack(data, Path(name))
        said, _ = _ask({"act": "describe"}, Path(name), limits or Limits(), numbers=0)
    try:
        found = msgspec.convert(said.get("description"), Description)
    except msgspec.ValidationError as error:
        raise FmuDescriptionInvalid(f"the model description is not valid: {error}") from error
    _check(found)
    return found


def run(
    data: bytes,
    description: Description,
    steps: Steps,
    *,
    parameters: Sequence[tuple[Variable, float]] = (),
    limits: Limits | None = None,
) -> Answer:
    """Run an FMU once, in a process of its own; raise a refusal for whatever it does wrong."""
    require_support()
    outputs = description.of("output")
    job = {
        "act": "run",
        "fmi": description.fmi,
        "identifier": description.model_identifier,
        "token": description.token,
        "tolerance": description.default_tolerance,
        "start": steps.start,
        "step": steps.step,
        "stop": steps.start + steps.step * sum(steps.counts),
        "inputs": [one.reference for one in description.of("input")],
        "outputs": [one.reference for one in outputs],
        "parameters": [one.reference for one, _ in parameters],
        "parameter_values": [value for _, value in parameters],
        "rows": [
            {"steps": count, "values": values}
            for count, values in zip(steps.counts, steps.inputs.tolist(), strict=True)
        ],
    }
    shape = (len(steps.counts), len(outputs))
    with tempfile.TemporaryDirectory(prefix="fmu-") as name:
        folder = Path(name)
        archives.unpack(data, folder)
        job["library"] = str(
            archives.library(folder, fmi=description.fmi, identifier=description.model_identifier)
        )
        said, numbers = _ask(job, folder, limits or Limits(), numbers=shape[0] * shape[1])
    found = np.frombuffer(numbers, dtype=np.float64).reshape(shape)
    _check_answer(found, outputs, steps)
    return Answer(found, tuple(str(one) for one in said.get("confinement", ())))


def _check(found: Description) -> None:
    problems = []
    names = [one.name for one in found.variables]
    if len(set(names)) != len(names):
        problems.append("two variables have one name")
    if not found.model_identifier.isidentifier():
        problems.append(f"{found.model_identifier!r} is no name of a library")
    for one in found.variables:
        if not one.name.isprintable() or not one.unit.isprintable():
            problems.append(f"{one.name!r} cannot be printed")
        if one.low is not None and one.high is not None and one.low > one.high:
            problems.append(f"{one.name}: min {one.low:g} is above max {one.high:g}")
        elif one.start is not None and not one.holds(one.start):
            problems.append(f"{one.name}: start {one.start:g} is outside its own min and max")
    if problems:
        raise FmuDescriptionInvalid(f"the model description is not valid: {problems[0]}")


def _check_answer(found: FloatArray, outputs: Sequence[Variable], steps: Steps) -> None:
    times = steps.start + steps.step * np.cumsum(steps.counts)
    for place, one in enumerate(outputs):
        for at, value in zip(times.tolist(), found[:, place].tolist(), strict=True):
            if not math.isfinite(value):
                raise FmuAnswerInvalid(f"{one.name} is {value} at time {at:g}")
            if not one.holds(value):
                raise FmuAnswerInvalid(
                    f"{one.name} is {value:g} at time {at:g}, outside its own min and max"
                )


def _ask(
    job: dict[str, Any], folder: Path, limits: Limits, *, numbers: int
) -> tuple[dict[str, Any], bytes]:
    allowed = {name: value for name, value in asdict(limits).items() if name != "wall_s"}
    with tempfile.TemporaryFile() as answer, tempfile.TemporaryFile() as words:
        document = job | {"folder": str(folder), "limits": allowed, "answer": answer.fileno()}
        status, peak_bytes = _process(document, folder, limits, answer, words)
        if status != 0:
            raise _death(status, peak_bytes, limits, _last(words))
        answer.seek(0)
        line = answer.readline(_HEADER_BYTES)
        # One byte more than there may be tells whether there are more.
        rest = answer.read(8 * numbers + 1)
    try:
        said = json.loads(line)
        state = said["state"]
    except (ValueError, KeyError, TypeError) as error:
        raise FmuAnswerInvalid("the process of the FMU gave no answer") from error
    if state != "done":
        kind, text = CODES.get(str(said.get("code")), CODES["failed"])
        raise kind(f"{text}: {_printable(str(said.get('text', '')))}")
    if len(rest) != 8 * numbers:
        raise FmuAnswerInvalid(f"{numbers} numbers were asked for and {len(rest) / 8:g} came")
    return said, rest


def _process(
    document: dict[str, Any], folder: Path, limits: Limits, answer: IO[bytes], words: IO[bytes]
) -> tuple[int, int]:
    """Return how the process ended (negative: by which signal) and the most memory that was seen."""
    # Nothing of our own environment: it may hold passwords and keys.
    surroundings = {
        "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "LANG": "C.UTF-8",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }
    child = subprocess.Popen(
        [sys.executable, "-I", "-c", _PROGRAM],
        stdin=subprocess.PIPE,
        stdout=words,
        stderr=words,
        cwd=folder,
        env=surroundings,
        pass_fds=[answer.fileno()],
        start_new_session=True,
    )
    until, peak_bytes = time.monotonic() + limits.wall_s, 0
    try:
        with suppress(BrokenPipeError), child.stdin as pipe:  # type: ignore[union-attr]
            pipe.write(json.dumps(document).encode())
        while child.poll() is None:
            # What the kernel counts at the end starts with the memory of this process, not with none.
            peak_bytes = max(peak_bytes, _memory(child.pid))
            if time.monotonic() > until:
                raise FmuOutOfTime(f"the FMU was ended after {limits.wall_s:g} s")
            time.sleep(_WAIT_S)
    except BaseException:
        _kill(child)
        child.wait()
        raise
    _kill(child)
    return child.returncode, peak_bytes


def _memory(pid: int) -> int:
    """Return the memory that a process has now; 0 where the system does not tell."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize()
    except (OSError, IndexError):
        return 0


def _kill(child: subprocess.Popen[bytes]) -> None:
    """End whatever is left of the session that the process began."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)


def _death(status: int, peak_bytes: int, limits: Limits, words: str) -> Refused:
    if -status in (signal.SIGXCPU, signal.SIGKILL):
        return FmuOutOfTime(f"the FMU was ended after {limits.cpu_s} s on the CPU")
    if peak_bytes > _FULL_SHARE * limits.memory_bytes:
        return FmuOutOfMemory(f"the FMU used up its {limits.memory_bytes >> 20} MiB of memory")
    how = signal.strsignal(-status) if status < 0 else f"exit status {status}"
    return FmuCrashed(f"the process of the FMU died: {how}" + (f" ({words})" if words else ""))


def _last(words: IO[bytes]) -> str:
    size = words.seek(0, os.SEEK_END)
    words.seek(max(0, size - _LAST_WORDS))
    lines = words.read(_LAST_WORDS).decode("utf-8", "replace").strip().splitlines()
    return _printable(lines[-1]) if lines else ""


def _printable(text: str) -> str:
    return "".join(one if one.isprintable() else " " for one in text)[:_LAST_WORDS]
