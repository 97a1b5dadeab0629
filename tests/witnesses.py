"""Run real witness processes for tests."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from compliance.trail.tlog.keys import COSIGNATURE_V1, KeyPair, Verifier

ROOT = Path(__file__).resolve().parents[1]


@dataclass
class WitnessProcess:
    """A witness with its folder; it can be killed and started again."""

    folder: Path
    pair: KeyPair
    logs: list[str]
    port: int = 0
    process: subprocess.Popen[str] | None = field(default=None, repr=False)

    @property
    def verifier(self) -> Verifier:
        return self.pair.verifier

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        key = self.folder / "witness.key"
        if not key.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            key.touch(mode=0o600)
            key.write_text(self.pair.skey + "\n")
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "compliance.trail.witness", "--verbosity", "WARNING"),
                *("--state", str(self.folder / "state"), "--key", str(key)),
                *("--listen", f"127.0.0.1:{self.port}", "--log", *self.logs),
            ],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"]},  # no settings: a witness knows no Django
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == self.verifier.vkey + "\n"
        self.port = int(self.process.stdout.readline().rpartition(":")[2])

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()  # type: ignore[union-attr]

    def stop(self) -> int:
        """Ask it to stop, and return how it ended."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=240)
        self.process.stdout.close()  # type: ignore[union-attr]
        return code

    def post(self, body: str | bytes) -> httpx.Response:
        content = body.encode() if isinstance(body, str) else body
        return httpx.post(f"{self.url}/add-checkpoint", content=content, timeout=240)


@contextmanager
def running(
    folder: Path,
    logs: list[str],
    *,
    name: str = "witness.example/w1",
    algorithm: int = COSIGNATURE_V1,
) -> Iterator[WitnessProcess]:
    witness = WitnessProcess(folder, KeyPair.generate(name, algorithm=algorithm), logs)
    witness.start()
    try:
        yield witness
    finally:
        if witness.process is not None and witness.process.poll() is None:
            witness.kill()
