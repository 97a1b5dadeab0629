"""Begin the verifier, or say what this Python lacks: nothing newer than Python 3.6 stands here."""

import sys

OLDEST = (3, 11)
NOT_CHECKED = 5  # that of `findings.Exit`, which an older Python cannot import
NEEDED = (
    "it needs Python 3.11 or newer with the packages cryptography (50 or newer) and, for time "
    "stamps, rfc3161-client"
)
INSTALL = "python -m pip install cryptography rfc3161-client"


def begin() -> int:
    """Return the exit code of the command line."""
    if tuple(sys.version_info) < OLDEST:
        return _lacking(f"this is Python {sys.version_info[0]}.{sys.version_info[1]}")
    try:
        from compliance.trail.verifier.__main__ import main
    except ImportError as error:
        if (error.name or "").startswith("compliance"):
            raise
        return _lacking(str(error))
    return main()


def _lacking(what: str) -> int:
    if "--json" in sys.argv:
        sys.stdout.write(_answer(f"{what}; {NEEDED}"))
    sys.stderr.write(
        f"NOTHING WAS VERIFIED. The verifier cannot run here ({what});\n{NEEDED}:\n\n    {INSTALL}\n"
    )
    return NOT_CHECKED


def _answer(message: str) -> str:
    """Return canonical JSON of docs/evidence-bundle.md, section 12."""
    words = message.replace("\\", "/").replace('"', "'")
    return (
        '{"anchored":false,"entries":{},"exit":5,"origin":null,"problems":[{"file":null,'
        f'"index":null,"message":"{words}","record":null,"record_id":null,'
        '"verdict":"NOT_CHECKED"}],"tree_size":null,"v":1}\n'
    )
