"""Lock a private key in a file under a password, and open it again.

The file is canonical JSON: `v` 1 means scrypt (RFC 7914, r 8, p 1, `n` in the file) and
ChaCha20-Poly1305 (RFC 8439). Everything beside the ciphertext is authenticated with it, the
public key with its name too, so that no file can take the place of another.
"""

import secrets
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from compliance.trail.keyring.failure import KeyUnusable
from compliance.trail.tlog import canonical
from compliance.trail.tlog.keys import KeyInvalid, KeyPair

VERSION = 1
N_PASSWORD = 2**17  # 0.3 s and 128 MB a guess
N_RANDOM = 2**14  # for 32 random bytes, which nobody guesses
_ACCEPTED_N = range(2**14, 2**20 + 1)  # above, a file could take all memory before it is refused
_MEMBERS = {"v", "vkey", "n", "salt", "nonce", "key"}


def lock(pair: KeyPair, *, password: str, n: int = N_PASSWORD) -> str:
    """Return the text of a file with this key under this password."""
    salt, nonce = secrets.token_bytes(16), secrets.token_bytes(12)
    header = {
        "v": VERSION,
        "vkey": pair.verifier.vkey,
        "n": n,
        "salt": salt.hex(),
        "nonce": nonce.hex(),
    }
    cipher = ChaCha20Poly1305(_derived(password, salt, n))
    locked = cipher.encrypt(nonce, pair.skey.encode(), canonical.dumps(header))
    return canonical.dumps(header | {"key": locked.hex()}).decode() + "\n"


def unlock(text: str, *, password: str) -> KeyPair:
    """Return the key of a file, or raise `KeyUnusable`."""
    header, locked, salt, nonce, n = _read(text)
    cipher = ChaCha20Poly1305(_derived(password, salt, n))
    try:
        pair = KeyPair.parse(cipher.decrypt(nonce, locked, canonical.dumps(header)).decode())
    except InvalidTag as error:
        raise KeyUnusable("the password is wrong, or the file was altered") from error
    except (KeyInvalid, UnicodeDecodeError) as error:
        raise KeyUnusable(f"what is locked in the file is no key: {error}") from error
    if pair.verifier.vkey != header["vkey"]:
        raise KeyUnusable("the file has another key than its header says")
    return pair


def _read(text: str) -> tuple[dict[str, canonical.Value], bytes, bytes, bytes, int]:
    try:
        header = canonical.loads(text.removesuffix("\n").encode())
        if not isinstance(header, dict) or set(header) != _MEMBERS:
            raise ValueError("not the members of a key file")
        n = header["n"]
        if header["v"] != VERSION or type(n) is not int or n not in _ACCEPTED_N or n & (n - 1):
            raise ValueError("not a key file of version 1")
        locked, salt, nonce = (_bytes(header[name]) for name in ("key", "salt", "nonce"))
    except ValueError as error:
        raise KeyUnusable(f"no encrypted key: {error}") from error
    if len(nonce) != 12 or len(salt) != 16:
        raise KeyUnusable("no encrypted key: salt or nonce has another length")
    del header["key"]
    return header, locked, salt, nonce, n


def _bytes(value: object) -> bytes:
    if not isinstance(value, str):
        raise ValueError("not hexadecimal")
    return bytes.fromhex(value)


@lru_cache(maxsize=8)  # a signer opens its keys for each checkpoint it is asked for by hand
def _derived(password: str, salt: bytes, n: int) -> bytes:
    return Scrypt(salt=salt, length=32, n=n, r=8, p=1).derive(password.encode())
