"""Say what the last bits of a result can depend on beside code, parameters and input."""

import platform
from importlib.metadata import version

import numpy as np


def current(*packages: str) -> dict[str, str]:
    """Return Python, NumPy, machine and the CPU features that NumPy chooses its loops by.

    With the versions of the packages that a result depends on beside NumPy.
    """
    configuration = np.show_config(mode="dicts")
    simd = configuration.get("SIMD Extensions", {}) if configuration else {}
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "system": platform.system(),
        "machine": platform.machine(),
        "libc": " ".join(platform.libc_ver()),
        "cpu_features": " ".join(simd.get("found", ())),
        **{package: version(package) for package in packages},
    }
