"""The key file."""

import os
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bot.core.errors import ConfigError
from bot.store.keys import public_text, signing_key


def test_the_first_use_makes_a_key_that_only_its_owner_reads(tmp_path: Path):
    signing_key(tmp_path / "key")

    assert oct((tmp_path / "key").stat().st_mode & 0o777) == "0o600"
    assert os.listdir(tmp_path) == ["key"]  # noqa: PTH208


def test_the_next_use_reads_the_same_key(tmp_path: Path):
    assert public_text(signing_key(tmp_path / "key")) == public_text(signing_key(tmp_path / "key"))


def test_processes_that_start_together_get_the_same_key(tmp_path: Path):
    start, keys = threading.Barrier(8), []

    def process() -> None:
        start.wait()
        keys.append(public_text(signing_key(tmp_path / "key")))

    threads = [threading.Thread(target=process) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(keys), len(set(keys))) == (8, 1)


def test_a_key_that_others_can_read_is_refused(tmp_path: Path):
    signing_key(tmp_path / "key")
    (tmp_path / "key").chmod(0o644)

    with pytest.raises(ConfigError, match="chmod 600"):
        signing_key(tmp_path / "key")


def test_a_file_that_is_no_key_is_refused(tmp_path: Path):
    (tmp_path / "key").touch(mode=0o600)

    with pytest.raises(ConfigError, match="not a private key"):
        signing_key(tmp_path / "key")


def test_a_key_of_another_kind_is_refused(tmp_path: Path):
    (tmp_path / "key").touch(mode=0o600)
    other = generate_private_key(SECP256R1())
    (tmp_path / "key").write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))

    with pytest.raises(ConfigError, match="Ed25519"):
        signing_key(tmp_path / "key")


def test_a_folder_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(ConfigError, match="No such file"):
        signing_key(tmp_path / "nowhere" / "key")
