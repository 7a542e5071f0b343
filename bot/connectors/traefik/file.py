"""The file that Traefik watches: held, read and exchanged as a whole, so that neither Traefik nor a person ever sees half of it.

Written is a new file in the same folder, renamed over the old one once it is on the disk. Its name ends in nothing that Traefik
reads: a provider that watches a folder would take a second `.yml` for configuration. The folder is locked meanwhile, because two
runs may each change another model in the same file; what people write without asking for the lock is noticed up to the rename.
"""

import errno
import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bot.core.errors import ActionFailed, WorldMoved

MOST_BYTES = 4_000_000
POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class Seen:
    """What stood in the file, and by what the very same file is known again."""

    text: str
    mark: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Held:
    """The file while its folder is locked."""

    path: Path
    folder: int

    def read(self) -> Seen:
        """Return what stands in it.

        Raises:
            ActionFailed: it is not there, is no plain file, too large, or no text.
        """
        with self._opened() as file:
            mark = _mark(os.fstat(file))
            raw = _whole(file)
        if len(raw) > MOST_BYTES:
            raise ActionFailed(f"{self.path} is larger than {MOST_BYTES // 1_000_000} MB; is it really Traefik's?")
        try:
            return Seen(raw.decode("utf-8-sig"), mark)
        except UnicodeDecodeError:
            raise ActionFailed(f"{self.path} is not UTF-8 text.") from None

    def replace(self, text: str, seen: Seen) -> None:
        """Put this text in its place, with the same mode and owner.

        Raises:
            WorldMoved: it is no longer the file that was seen.
            ActionFailed: it cannot be written; the old one is untouched.
        """
        with self._written(text) as new:
            with self._opened() as file:
                if _mark(os.fstat(file)) != seen.mark:
                    raise WorldMoved(f"Somebody else has just changed {self.path}; that stays, and nothing was written.")
            os.replace(new, self.path.name, src_dir_fd=self.folder, dst_dir_fd=self.folder)
        with suppress(OSError):  # some network file systems know no such thing; what Traefik says decides anyway
            os.fsync(self.folder)

    def check(self) -> None:
        """Raise ActionFailed when the file could not be replaced; nothing of it is touched."""
        with self._written(""):
            pass

    @contextmanager
    def _written(self, text: str) -> Iterator[str]:
        """Yield the name of a new file beside it, with this text; it is gone afterwards, unless it was renamed."""
        new = f".{self.path.name}.aiops"
        try:
            self._write(new, text)
            yield new
        except OSError as error:
            raise ActionFailed(
                f"{self.path} cannot be replaced by a new file beside it: {_words(error)}; it is untouched."
            ) from error
        finally:
            with suppress(OSError):
                os.unlink(new, dir_fd=self.folder)

    def _write(self, name: str, text: str) -> None:
        with self._opened() as file:
            like = os.fstat(file)
        with suppress(FileNotFoundError):  # of a bot that was killed; nobody else may write under the lock
            os.unlink(name, dir_fd=self.folder)
        file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600, dir_fd=self.folder)
        with os.fdopen(file, "wb") as out:
            out.write(text.encode())
            mine = os.fstat(file)
            if (mine.st_uid, mine.st_gid) != (like.st_uid, like.st_gid):
                os.fchown(file, like.st_uid, like.st_gid)
            os.fchmod(file, stat.S_IMODE(like.st_mode))
            out.flush()
            os.fsync(file)

    @contextmanager
    def _opened(self) -> Iterator[int]:
        try:  # a pipe would be waited for without NONBLOCK
            file = os.open(self.path.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=self.folder)
        except OSError as error:
            raise ActionFailed(f"{self.path} cannot be read: {_words(error)}.") from error
        try:
            if not stat.S_ISREG(os.fstat(file).st_mode):
                raise ActionFailed(f"{self.path} is no plain file.")
            yield file
        finally:
            os.close(file)


@contextmanager
def held(path: Path, patience_s: float) -> Iterator[Held]:
    """Lock the file's folder against every other bot, within so many seconds.

    Raises:
        ActionFailed: the folder is not there, or is not to be had in time.
    """
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise ActionFailed(f"The folder {path.parent} cannot be opened: {_words(error)}.") from error
    try:
        _lock(folder, path, time.monotonic() + patience_s)
        yield Held(path, folder)
    finally:
        os.close(folder)  # and the lock is free


def _lock(folder: int, path: Path, until: float) -> None:
    while True:
        try:
            return fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                raise ActionFailed(f"Another run is changing {path} and does not end; nothing was written.") from None
        except OSError as error:
            raise ActionFailed(f"The folder {path.parent} cannot be locked: {_words(error)}; nothing was written.") from error
        time.sleep(POLL_S)


def _mark(status: os.stat_result) -> tuple[int, ...]:
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _whole(file: int) -> bytes:
    with os.fdopen(os.dup(file), "rb") as content:
        return content.read(MOST_BYTES + 1)


def _words(error: OSError) -> str:
    """What the system says, and where that misleads, what it means here."""
    meant = {
        errno.ELOOP: "it is a symbolic link; name the file that it leads to",
        errno.EBUSY: "it is mounted by itself; mount its folder instead",
        errno.EPERM: "it belongs to somebody else; let the bot run as its owner",
    }
    return meant.get(error.errno or 0, str(error.strerror))
