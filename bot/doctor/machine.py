"""This machine: Python, disk space, the signing key's file."""

import platform
import shutil
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from bot.config import Settings
from bot.doctor.remarks import Remark, hint, ok, problem

LEAST = (3, 11)
LOW_BYTES, LEAST_BYTES = 2 * 1024**3, 200 * 1024**2


def python() -> Iterator[Remark]:
    """Look at the interpreter."""
    if sys.version_info < LEAST:
        yield problem("python", f"this is {platform.python_version()}.", "aiops-bot needs Python 3.11 or newer.")
    else:
        yield ok("python", f"{platform.python_version()}.")


def disk(settings: Settings) -> Iterator[Remark]:
    """Look at the room that is left where the database file lies."""
    address = settings.database.partition("sqlite:///")[2]
    folder = Path(address).absolute().parent if address else Path.cwd()
    if not folder.is_dir():
        yield problem("disk", f"the folder {folder} does not exist.", "Create it, or name another one under database.")
        return
    free = shutil.disk_usage(folder).free
    words = f"{free / 1024**3:.1f} GiB are free at {folder}."
    if free < LEAST_BYTES:
        yield problem("disk", words, "Make room: a database that cannot write stops the bot.")
    elif free < LOW_BYTES:
        yield hint("disk", words, "Make room before it runs out.")
    else:
        yield ok("disk", words)


def key_file(settings: Settings) -> Iterator[Remark]:
    """Look at who may read the key that signs the audit log's checkpoints."""
    path = Path(settings.audit.key)
    if not path.exists():
        yield ok("audit key", f"{path} is not there yet; it is made at the first checkpoint.")
        return
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        yield problem("audit key", f"{path} may be read by others (mode {mode:o}).", f"chmod 600 {path}")
    else:
        yield ok("audit key", f"{path} is readable by its owner only.")
