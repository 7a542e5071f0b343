"""The key that signs checkpoints: a file outside the database, readable by its owner only."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from bot.core.audit import Checkpoint
from bot.core.errors import ConfigError


def signing_key(path: Path) -> Ed25519PrivateKey:
    """Return the key in this file; the first use makes one, mode 0600.

    Raises:
        ConfigError: the file is no such key, others may read it, or it cannot be made.
    """
    try:
        if not path.exists():
            _make(path)
        if path.stat().st_mode & 0o077:
            raise ConfigError(f"The audit key {path} can be read by others; run chmod 600 on it, and make a new one if they did.")
        key = load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise ConfigError(f"The audit key {path} cannot be used: {error.strerror}.") from error
    except (ValueError, TypeError) as error:
        raise ConfigError(f"The file {path} is not a private key; name another file, or move it away to get a new key.") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigError(f"The audit key {path} is not an Ed25519 key; name another file.")
    return key


def public_text(key: Ed25519PrivateKey) -> str:
    """Return the public half as hex: what an auditor is given."""
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


def fits(public_key: str, checkpoint: Checkpoint) -> bool:
    """Return whether the signature is by the owner of this public key (hex)."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key)).verify(bytes.fromhex(checkpoint.signature), checkpoint.body)
    except (InvalidSignature, ValueError):
        return False
    return True


def _make(path: Path) -> None:
    """Write a whole key under another name, then link it: of two processes that start together both read the same one."""
    key = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(key)
    try:
        with suppress(FileExistsError):
            path.hardlink_to(draft)
    finally:
        draft.unlink()
