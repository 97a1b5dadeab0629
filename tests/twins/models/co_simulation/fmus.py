"""Build real FMUs in C with the machine's compiler: good ones of both versions, and bad ones."""

import inspect
import io
import shutil
import subprocess
import zipfile
from dataclasses import dataclass, replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from twins.models.cho_fed_batch.declared import DECLARATION
from twins.models.cho_fed_batch.parameters import VALUES
from twins.models.co_simulation import archives

needs_compiler = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler here")
needs_fmpy = pytest.mark.skipif(find_spec("fmpy") is None, reason="FMPy is not installed")

IDENTIFIER, TOKEN = "culture", "{1b2c}"
STATES = tuple((one.name, one.unit) for one in DECLARATION.states)
FEED, FIRST_STATE, FIRST_START, PROBE = 0, 10, 30, 50

# The CHO fed-batch in another language: one step of Runge and Kutta a step of communication.
_MODEL = """
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <stdio.h>
#include <time.h>
#include <fcntl.h>
#include <unistd.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/resource.h>
static double x[8], feed, probe;
static void rates(const double *s, double *d) {
    double p[8]; for (int i = 0; i < 8; i++) p[i] = s[i] > 0 ? s[i] : 0;
    double v = p[0], glc = p[2], gln = p[3], lac = p[4], amm = p[5];
    double growth = MU_MAX * v * glc / (K_GLC + glc) * gln / (K_GLN + gln)
        * KI_LAC / (KI_LAC + lac) * KI_AMM / (KI_AMM + amm);
    double death = K_D * v * lac / (KD_LAC + lac) * amm / (KD_AMM + amm);
    double uptake = growth / Y_X_GLC + M_GLC * v * glc / (glc + K_MAINTENANCE);
    double in[8] = {0, 0, 600, 60, 0, 0, 0, 0};
    for (int i = 0; i < 7; i++) d[i] = feed / p[7] * (in[i] - p[i]);
    d[0] += growth - death; d[1] += death; d[2] -= uptake;
    d[3] -= growth / Y_X_GLN + A1 * v * gln / (A2 + gln);
    d[4] += Y_LAC_GLC * uptake;
    d[5] += Y_AMM_GLN * growth / Y_X_GLN - R_AMM * v * amm / (amm + K_REMOVAL);
    d[6] += Q_MAB * v; d[7] = feed;
}
static int advance(double t, double h) {
    double k[4][8], s[8];
    for (int j = 0; j < 4; j++) {
        double part = j == 0 ? 0 : j == 3 ? h : h / 2;
        for (int i = 0; i < 8; i++) s[i] = x[i] + (j ? part * k[j - 1][i] : 0);
        rates(s, k[j]);
    }
    for (int i = 0; i < 8; i++) x[i] += h / 6 * (k[0][i] + 2 * k[1][i] + 2 * k[2][i] + k[3][i]);
    BEHAVIOUR
    return 0;
}
static int get(const unsigned *r, size_t n, double *to) {
    for (size_t i = 0; i < n; i++) {
        if (r[i] >= 10 && r[i] < 18) to[i] = x[r[i] - 10];
        else if (r[i] == 50) to[i] = probe;
        else return 3;
    }
    return 0;
}
static int set(const unsigned *r, size_t n, const double *from) {
    for (size_t i = 0; i < n; i++) {
        if (r[i] == 0) feed = from[i];
        else if (r[i] >= 30 && r[i] < 38) x[r[i] - 30] = from[i];
        else return 3;
    }
    return 0;
}
"""
_TWO = """
const char *fmi2GetVersion(void) { return "SAID"; }
void *fmi2Instantiate(const char *n, int k, const char *g, const char *r, void *c, int v, int l)
    { double start[8] = {0.4, 0.01, 36, 6, 0.5, 0.5, 0, 150}; memcpy(x, start, sizeof x); return x; }
int fmi2SetReal(void *c, const unsigned *r, size_t n, const double *v) { return set(r, n, v); }
int fmi2GetReal(void *c, const unsigned *r, size_t n, double *v) { return get(r, n, v); }
int fmi2DoStep(void *c, double t, double h, int f) { return advance(t, h); }
"""
_THREE = """
const char *fmi3GetVersion(void) { return "SAID"; }
void *fmi3InstantiateCoSimulation(const char *n, const char *g, const char *r, bool v, bool l, bool e,
    bool y, const unsigned *i, size_t k, void *w, void *m, void *u)
    { double start[8] = {0.4, 0.01, 36, 6, 0.5, 0.5, 0, 150}; memcpy(x, start, sizeof x); return x; }
int fmi3SetFloat64(void *c, const unsigned *r, size_t n, const double *v, size_t m)
    { return set(r, n, v); }
int fmi3GetFloat64(void *c, const unsigned *r, size_t n, double *v, size_t m) { return get(r, n, v); }
int fmi3DoStep(void *c, double t, double h, bool f, bool *e, bool *s, bool *y, double *last)
    { *e = *s = *y = false; *last = t + h; return advance(t, h); }
"""
CRASHES = "*(volatile int *)0 = 1;"
LOOPS = "for (;;);"
SLEEPS = "for (;;) pause();"
GROWS = "for (;;) memset(malloc(1 << 20), 1, 1 << 20);"
NOT_FINITE = "x[0] = t > 5 ? NAN : x[0];"
NEGATIVE = "x[2] = t > 5 ? -40 : x[2];"
GIVES_UP = "if (t > 5) return 3;"
ROLLS_DICE = "struct timespec now; clock_gettime(CLOCK_REALTIME, &now); x[6] += 1e-9 * now.tv_nsec;"
EXITS = "_exit(0);"
WRITES = "for (int i = 3; i < 64; i++) if (write(i, &x, 8) > 0) break;"
# One bit for each thing that it could do.
PROBES = """
probe = (getenv("GMP_SECRET_KEY") != 0) + 2 * (open("FORBIDDEN", 0) >= 0)
    + 4 * (socket(AF_UNIX, SOCK_STREAM, 0) >= 0) + 8 * (fork() >= 0)
    + 16 * (kill(getppid(), 0) == 0) + 32 * (open("/proc/self/environ", 0) >= 0);
struct rlimit more = {1 << 30, 1 << 30}; probe += 64 * (setrlimit(RLIMIT_CPU, &more) == 0);
probe += 128 * (open("own", O_CREAT | O_WRONLY, 0600) >= 0);
"""


@dataclass(frozen=True)
class Plan:
    """What is built: version of FMI, what a step does beside its work, and what is said about it."""

    fmi: int = 2
    behaviour: str = ""
    said_version: str = ""
    attributes: str = 'canHandleVariableCommunicationStepSize="true"'
    without: str = ""
    output_range: str = 'min="0" max="10000"'


@cache
def build(plan: Plan) -> bytes:
    """Return the FMU."""
    with TemporaryDirectory() as name:
        library = Path(name) / f"{IDENTIFIER}.so"
        _compile(plan, library)
        return packed(
            {
                archives.DESCRIPTION: description(plan).encode(),
                f"binaries/{archives.platform_folder(str(plan.fmi))}/{library.name}": (
                    library.read_bytes()
                ),
            }
        )


def packed(files: dict[str, bytes]) -> bytes:
    """Return an archive of these files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _compile(plan: Plan, library: Path) -> None:
    from fmpy import fmi2, fmi3

    kind = fmi2.FMU2Slave if plan.fmi == 2 else fmi3.FMU3Slave
    own = _TWO if plan.fmi == 2 else _THREE
    prefix = f"fmi{plan.fmi}"
    rest = "\n".join(
        f"int {name}(void) {{ return 0; }}"
        for name, _ in inspect.getmembers(kind)
        if name.startswith(prefix) and f"{name}(" not in own and name != plan.without
    )
    said = plan.said_version or ("2.0" if plan.fmi == 2 else "3.0")
    source = library.with_suffix(".c")
    behaviour = " ".join(plan.behaviour.split())
    source.write_text(
        _MODEL.replace("BEHAVIOUR", behaviour) + own.replace("SAID", said) + rest, encoding="utf-8"
    )
    constants = [f"-D{name.upper()}={value!r}" for name, value in VALUES.items()]
    flags = ["-w", "-O1", "-fPIC", "-shared", "-ffp-contract=off", *constants]
    subprocess.run(["cc", *flags, "-o", library, source, "-lm"], check=True)


def description(plan: Plan) -> str:
    """Return modelDescription.xml."""
    return _description_two(plan) if plan.fmi == 2 else _description_three(plan)


def _description_two(plan: Plan) -> str:
    rows = [
        '<ScalarVariable name="feed_rate" valueReference="0" causality="input"'
        ' variability="continuous"><Real unit="L/h" min="0" max="5" start="0"/></ScalarVariable>'
    ]
    for place, (name, unit) in enumerate(STATES):
        rows.append(
            f'<ScalarVariable name="{name}" valueReference="{FIRST_STATE + place}"'
            f' causality="output" variability="continuous" initial="calculated">'
            f'<Real unit="{unit}" {plan.output_range}/></ScalarVariable>'
        )
    for place, (name, unit) in enumerate(STATES):
        rows.append(
            f'<ScalarVariable name="start_{name}" valueReference="{FIRST_START + place}"'
            f' causality="parameter" variability="fixed" initial="exact">'
            f'<Real unit="{unit}" min="0" start="{_START[place]}"/></ScalarVariable>'
        )
    rows.append(
        f'<ScalarVariable name="probe" valueReference="{PROBE}" causality="output"'
        ' variability="continuous" initial="calculated"><Real/></ScalarVariable>'
    )
    rows.append(
        '<ScalarVariable name="time" valueReference="60" causality="independent"'
        ' variability="continuous"><Real unit="h"/></ScalarVariable>'
    )
    units = "".join(
        f'<Unit name="{one}"/>' for one in sorted({"L/h", "h", *(u for _, u in STATES)})
    )
    outputs = "".join(f'<Unknown index="{index}"/>' for index in (*range(2, 10), len(rows) - 1))
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><fmiModelDescription fmiVersion="2.0"'
        f' modelName="CHO fed-batch" guid="{TOKEN}" generationTool="tests">'
        f'<CoSimulation modelIdentifier="{IDENTIFIER}" {plan.attributes}/>'
        f"<UnitDefinitions>{units}</UnitDefinitions>"
        f'<DefaultExperiment startTime="0" stopTime="288" stepSize="1"/>'
        f"<ModelVariables>{''.join(rows)}</ModelVariables>"
        f"<ModelStructure><Outputs>{outputs}</Outputs><InitialUnknowns>{outputs}</InitialUnknowns>"
        f"</ModelStructure></fmiModelDescription>"
    )


def _description_three(plan: Plan) -> str:
    rows = [
        '<Float64 name="time" valueReference="60" causality="independent"'
        ' variability="continuous" unit="h"/>',
        '<Float64 name="feed_rate" valueReference="0" causality="input" unit="L/h" min="0" max="5"'
        ' start="0"/>',
    ]
    for place, (name, unit) in enumerate(STATES):
        rows.append(
            f'<Float64 name="{name}" valueReference="{FIRST_STATE + place}" causality="output"'
            f' unit="{unit}" {plan.output_range}/>'
        )
    for place, (name, unit) in enumerate(STATES):
        rows.append(
            f'<Float64 name="start_{name}" valueReference="{FIRST_START + place}"'
            f' causality="parameter" variability="fixed" unit="{unit}" min="0"'
            f' start="{_START[place]}"/>'
        )
    rows.append(f'<Float64 name="probe" valueReference="{PROBE}" causality="output"/>')
    units = "".join(
        f'<Unit name="{one}"/>' for one in sorted({"L/h", "h", *(u for _, u in STATES)})
    )
    references = (*range(FIRST_STATE, FIRST_STATE + 8), PROBE)
    outputs = "".join(f'<Output valueReference="{one}"/>' for one in references)
    unknown = "".join(f'<InitialUnknown valueReference="{one}"/>' for one in references)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><fmiModelDescription fmiVersion="3.0"'
        f' modelName="CHO fed-batch" instantiationToken="{TOKEN}" generationTool="tests">'
        f'<CoSimulation modelIdentifier="{IDENTIFIER}" {plan.attributes}/>'
        f"<UnitDefinitions>{units}</UnitDefinitions>"
        f'<DefaultExperiment startTime="0" stopTime="288" stepSize="1"/>'
        f"<ModelVariables>{''.join(rows)}</ModelVariables>"
        f"<ModelStructure>{outputs}{unknown}</ModelStructure></fmiModelDescription>"
    )


_START = (0.4, 0.01, 36, 6, 0.5, 0.5, 0, 150)


def bad(behaviour: str) -> bytes:
    """Return an FMU 2 that does this in each step."""
    return build(replace(Plan(), behaviour=behaviour))
