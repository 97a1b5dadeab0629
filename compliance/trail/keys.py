"""Say which keys sign this log's checkpoints, and where each is kept."""

from pathlib import Path

from django.conf import settings

from compliance.trail import durable
from compliance.trail.keyring import encrypted, hsm, password
from compliance.trail.keyring.failure import KeyUnusable
from compliance.trail.tlog import canonical, keys
from compliance.trail.tlog.key_history import KeyHistory
from compliance.trail.tlog.keys import KeyPair, Signer, Verifier

PUBLIC = "keys.json"  # the keys the log began with and the documents about all later ones
ALGORITHMS = {"ed25519": keys.ED25519, "ml-dsa-44": keys.ML_DSA_44}
VERSION = 1


def ensure() -> KeyHistory:
    """Return the log's keys, after making the first ones when there are none."""
    folder().mkdir(parents=True, exist_ok=True, mode=0o700)
    if not (folder() / PUBLIC).exists():
        made = [make(algorithm) for algorithm in ALGORITHMS.values()]
        try:
            durable.create(folder() / PUBLIC, _written([one.verifier for one in made], []))
        except FileExistsError:  # whoever comes second takes the first one's
            for one in made:
                _path(one.verifier).unlink(missing_ok=True)
    return history()


def make(algorithm: int) -> Signer:
    """Make a private key of this log; it signs nothing before a document says from where on."""
    if algorithm == keys.ED25519 and settings.PKCS11_MODULE:
        return hsm.generate(_token(), name=_origin())
    pair = KeyPair.generate(_origin(), algorithm=algorithm)
    under = password.find_or_make(folder(), given=settings.KEY_PASSWORD())
    text = encrypted.lock(pair, password=under.text, n=under.n)
    durable.create(_path(pair.verifier), text, mode=0o600)
    return pair


def history() -> KeyHistory:
    """Return the keys this log has and had, or raise `KeyUnusable`; needs no private one."""
    pinned, documents = register()
    try:
        return KeyHistory.replay(_origin(), pinned=pinned, documents=documents)
    except ValueError as error:
        raise KeyUnusable(f"{folder() / PUBLIC}: {error}") from error


def register() -> tuple[list[Verifier], list[str]]:
    """Return the keys that the log began with and the signed documents about later ones."""
    path = folder() / PUBLIC
    try:
        match canonical.loads(path.read_bytes().removesuffix(b"\n")):
            case {"v": 1, "origin": str(origin), "pinned": [*vkeys], "documents": [*documents]}:
                pinned = [Verifier.parse(str(vkey)) for vkey in vkeys]
            case _:
                raise KeyUnusable(f"{path} is no register of keys")
    except FileNotFoundError as error:
        raise KeyUnusable(f"there is no {path}: run `manage.py trail keys`") from error
    except ValueError as error:
        raise KeyUnusable(f"{path}: {error}") from error
    if origin != _origin():
        raise KeyUnusable(
            f"{path} is of {origin}, this log is {_origin()}: set GMP_LOG_ORIGIN or GMP_KEYS_DIR"
        )
    return pinned, [str(document) for document in documents]


def enter(document: str) -> KeyHistory:
    """Add a signed document to the register, where the signer learns of it."""
    pinned, documents = register()
    replayed = KeyHistory.replay(_origin(), pinned=pinned, documents=[*documents, document])
    durable.replace(folder() / PUBLIC, _written(pinned, [*documents, document]))
    return replayed


def signer_of(verifier: Verifier) -> Signer:
    """Return the private key of a public one, or raise `KeyUnusable`."""
    path = _path(verifier)
    if not path.exists() and verifier.algorithm == keys.ED25519 and settings.PKCS11_MODULE:
        return hsm.find(_token(), verifier)
    try:
        password.demand_private(path)
        text = path.read_text()
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


def current() -> list[Verifier]:
    """Return the keys that sign from now on."""
    return [record.verifier for record in history().records if record.to_size is None]


def verifier(*, size: int) -> Verifier:
    """Return the Ed25519 key that signs a checkpoint of this size, for readers of that type."""
    for record in history().in_force(size):
        if record.verifier.algorithm == keys.ED25519:
            return record.verifier
    raise KeyUnusable(f"no Ed25519 key was in force at size {size}")


def folder() -> Path:
    """Return where keys and register are."""
    return Path(settings.KEYS_DIR)


def _origin() -> str:
    return str(settings.LOG_ORIGIN)


def _path(verifier: Verifier) -> Path:
    kind = next(name for name, number in ALGORITHMS.items() if number == verifier.algorithm)
    return folder() / f"trail-{kind}-{verifier.key_id.hex()}.key"


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


def _written(pinned: list[Verifier], documents: list[str]) -> str:
    members: dict[str, canonical.Value] = {
        "v": VERSION,
        "origin": _origin(),
        "pinned": [one.vkey for one in pinned],
        "documents": documents,
    }
    return canonical.dumps(members).decode() + "\n"
