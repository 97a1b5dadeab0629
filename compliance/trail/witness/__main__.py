"""Run a witness: `python -m compliance.trail.witness --state DIR --key FILE --log VKEY...`."""

import argparse
import logging
import os
import signal
import stat
import sys
import threading
import time
from pathlib import Path

from compliance.trail.tlog import policy_lines
from compliance.trail.tlog.keys import KeyInvalid, KeyPair, Verifier
from compliance.trail.witness.judgement import Witness
from compliance.trail.witness.memory import Memory, MemoryUnusable
from compliance.trail.witness.serving import WitnessServer

ALGORITHMS = {"ed25519": 0x04, "ml-dsa-44": 0x06}  # of cosignatures (tlog-cosignature)


class Unusable(Exception):
    """What was asked for on the command line cannot be done; says what to do."""


def main(arguments: list[str]) -> int:
    """Serve until told to stop, or make a key; 2 when something given cannot be used."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=options.verbosity, format="%(asctime)s %(levelname)s %(message)s")
    try:
        if options.make_key:
            _print(_made(options.key[0], options.make_key, ALGORITHMS[options.algorithm]))
            return 0
        return _serve(options)
    except (Unusable, KeyInvalid, MemoryUnusable, OSError) as error:
        sys.stderr.write(f"witness: {error}\n")
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m compliance.trail.witness", description=__doc__)
    parser.add_argument("--key", type=Path, required=True, action="append", metavar="FILE")
    parser.add_argument("--state", type=Path, metavar="DIR")
    parser.add_argument("--log", nargs="+", action="extend", default=[], metavar="VKEY")
    parser.add_argument("--listen", default="127.0.0.1:8461", metavar="HOST:PORT")
    parser.add_argument("--make-key", metavar="NAME", help="write a new key to FILE and stop")
    parser.add_argument("--algorithm", choices=ALGORITHMS, default="ed25519", help="of a new key")
    parser.add_argument("--verbosity", choices=("DEBUG", "INFO", "WARNING"), default="INFO")
    return parser


def _serve(options: argparse.Namespace) -> int:
    if options.state is None or not options.log:
        raise Unusable("--state and --log are needed")
    signers = [_key(path) for path in options.key]
    logs: dict[str, list[Verifier]] = {}
    for verifier in map(Verifier.parse, options.log):
        logs.setdefault(verifier.name, []).append(verifier)
    host, _, port = options.listen.rpartition(":")
    if not host or not port.isdecimal():
        raise Unusable(f"--listen is HOST:PORT, not {options.listen}")
    memory = Memory(options.state, logs)
    witness = Witness(signers=signers, logs=logs, memory=memory, clock=time.time)
    server = WitnessServer((host.strip("[]"), int(port)), witness)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    threading.Thread(target=server.serve_forever, name="accept", daemon=True).start()
    for signer in signers:
        _print(signer.verifier.vkey)
    _print(f"listening on {host}:{server.server_address[1]}")
    stop.wait()
    server.stop()
    memory.close()
    return 0


def _key(path: Path) -> KeyPair:
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise Unusable(f"{path} can be read by others: run `chmod 600 {path}`")
    pair = KeyPair.parse(path.read_text().strip())
    if pair.algorithm not in policy_lines.WITNESS_TYPES:
        raise Unusable(f"{path} is not a key for cosignatures")
    return pair


def _made(path: Path, name: str, algorithm: int) -> str:
    pair = KeyPair.generate(name, algorithm=algorithm)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(pair.skey + "\n")
        file.flush()
        os.fsync(file.fileno())
    return pair.verifier.vkey


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
