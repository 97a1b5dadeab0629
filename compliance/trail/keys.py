"""Say which keys sign a log's checkpoints, and where each is kept.

Each log has keys of its own, named by its origin. Where none is given, the installation's first
log is meant; the others' keys are in folders below.
"""

from pathlib import Path
from urllib.parse import quote, unquote

from django.conf import settings

from compliance.trail import durable
from compliance.trail.keyring import encrypted, hsm, password
from compliance.trail.keyring.failure import KeyUnusable as KeyUnusable  # noqa: PLC0414 -- callers name it from here
from compliance.trail.tlog import canonical, keys
from compliance.trail.tlog.key_history import KeyHistory
from compliance.trail.tlog.keys import KeyPair, Signer, Verifier

PUBLIC = "keys.json"  # the keys the log began with and the documents about all later ones
ALGORITHMS = {"ed25519": keys.ED25519, "ml-dsa-44": keys.ML_DSA_44}
VERSION = 1


def ensure(origin: str | None = None) -> KeyHistory:
    """Return the log's keys, after making the first ones when there are none."""
    path = folder(origin) / PUBLIC
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        made = [make(algorithm, origin) for algorithm in ALGORITHMS.values()]
        try:
            durable.create(path, _written(origin, [one.verifier for one in made], []))
        except FileExistsError:  # whoever comes second takes the first one's
            for one in made:
                _path(one.verifier).unlink(missing_ok=True)
    return history(origin)


def make(algorithm: int, origin: str | None = None) -> Signer:
    """Make a private key of this log; it signs nothing before a document says from where on."""
    if algorithm == keys.ED25519 and settings.PKCS11_MODULE:
        return hsm.generate(_token(), name=_named(origin))
    pair = KeyPair.generate(_named(origin), algorithm=algorithm)
    under = password.find_or_make(folder(), given=settings.KEY_PASSWORD())
    text = encrypted.lock(pair, password=under.text, n=under.n)
    durable.create(_path(pair.verifier), text, mode=0o600)
    return pair


def history(origin: str | None = None) -> KeyHistory:
    """Return the keys this log has and had, or raise `KeyUnusable`; needs no private one."""
    pinned, documents = register(origin)
    try:
        return KeyHistory.replay(_named(origin), pinned=pinned, documents=documents)
    except ValueError as error:
        raise KeyUnusable(f"{folder(origin) / PUBLIC}: {error}") from error


def register(origin: str | None = None) -> tuple[list[Verifier], list[str]]:
    """Return the keys that the log began with and the signed documents about later ones."""
    path = folder(origin) / PUBLIC
    try:
        match canonical.loads(durable.read(path).removesuffix(b"\n")):
            case {"v": 1, "origin": str(name), "pinned": [*vkeys], "documents": [*documents]}:
                pinned = [Verifier.parse(str(vkey)) for vkey in vkeys]
            case _:
                raise KeyUnusable(f"{path} is no register of keys")
    except FileNotFoundError as error:
        raise KeyUnusable(f"there is no {path}: run `manage.py trail keys`") from error
    except ValueError as error:
        raise KeyUnusable(f"{path}: {error}") from error
    if name != _named(origin):
        raise KeyUnusable(
            f"{path} is of {name}, this log is {_named(origin)}: set GMP_LOG_ORIGIN or GMP_KEYS_DIR"
        )
    return pinned, [str(document) for document in documents]


def enter(document: str, origin: str | None = None) -> KeyHistory:
    """Add a signed document to the register, where the signer learns of it."""
    pinned, documents = register(origin)
    replayed = KeyHistory.replay(_named(origin), pinned=pinned, documents=[*documents, document])
    durable.replace(folder(origin) / PUBLIC, _written(origin, pinned, [*documents, document]))
    return replayed


def signer_of(verifier: Verifier) -> Signer:
    """Return the private key of a public one, or raise `KeyUnusable`."""
    path = _path(verifier)
    if not path.exists() and verifier.algorithm == keys.ED25519 and settings.PKCS11_MODULE:
        return hsm.find(_token(), verifier)
    try:
        password.demand_private(path)
        text = durable.read(path).decode(errors="replace")
    except FileNotFoundError as error:
        raise KeyUnusable(f"there is no {path}, the private key of {verifier.name}") from error
    under = password.find(folder(), given=settings.KEY_PASSWORD())
    try:
        pair = encrypted.unlock(text, password=under.text)
    except KeyUnusable as error:
        raise KeyUnusable(f"{path}: {error}") from error
    if pair.verifier != verifier:
        raise KeyUnusable(f"{path} has another key than its name says")
    return pair


def is_here(verifier: Verifier) -> bool:
    """Say whether this host keeps the private key, in a file or a token."""
    is_of_token = verifier.algorithm == keys.ED25519 and bool(settings.PKCS11_MODULE)
    return is_of_token or _path(verifier).exists()


def current(origin: str | None = None) -> list[Verifier]:
    """Return the keys that sign from now on."""
    return [record.verifier for record in history(origin).records if record.to_size is None]


def verifier(*, size: int, origin: str | None = None) -> Verifier:
    """Return the Ed25519 key that signs a checkpoint of this size, for readers of that type."""
    for record in history(origin).in_force(size):
        if record.verifier.algorithm == keys.ED25519:
            return record.verifier
    raise KeyUnusable(f"no Ed25519 key was in force at size {size}")


def folder(origin: str | None = None) -> Path:
    """Return where keys and register of a log are."""
    return own_folder(Path(settings.KEYS_DIR), origin)


def own_folder(base: Path, origin: str | None) -> Path:
    """Return what a log has below a folder of all logs: the installation's first one has it all."""
    if origin in (None, settings.LOG_ORIGIN):
        return base
    return base / "logs" / quote(_named(origin), safe="")


def origin_of(folder: str) -> str:
    """Return the log that a folder below `logs` is of."""
    return unquote(folder)


def _named(origin: str | None) -> str:
    return str(settings.LOG_ORIGIN) if origin is None else origin


def _path(verifier: Verifier) -> Path:
    kind = next(name for name, number in ALGORITHMS.items() if number == verifier.algorithm)
    return folder(verifier.name) / f"trail-{kind}-{verifier.key_id.hex()}.key"


def _token() -> hsm.Token:
    pin = settings.PKCS11_PIN()
    if not pin:
        raise KeyUnusable("set GMP_PKCS11_PIN or GMP_PKCS11_PIN_FILE")
    return hsm.Token(
        module=settings.PKCS11_MODULE,
        label=settings.PKCS11_TOKEN,
        pin=pin,
        key_label=settings.PKCS11_KEY,
    )


def _written(origin: str | None, pinned: list[Verifier], documents: list[str]) -> str:
    members: dict[str, canonical.Value] = {
        "v": VERSION,
        "origin": _named(origin),
        "pinned": [one.vkey for one in pinned],
        "documents": documents,
    }
    return canonical.dumps(members).decode() + "\n"
