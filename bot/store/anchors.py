"""Where checkpoints go besides the database: a file that is only appended to, best on a disk that the bot's people do not own."""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from bot.core.audit import Checkpoint
from bot.core.errors import AiopsError
from bot.store.codec import dumps, loads


class AnchorsUnreadable(AiopsError):
    """The file of checkpoints cannot be read; whoever keeps it must look."""


class Anchors(Protocol):
    """A place that remembers checkpoints for us."""

    def read(self) -> Sequence[Checkpoint]:
        """Return all of them, oldest first; AnchorsUnreadable when the place cannot be reached."""
        ...

    def append(self, checkpoints: Sequence[Checkpoint]) -> None:
        """Add these."""
        ...


class AnchorFile:
    """One checkpoint a line, as JSON."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Sequence[Checkpoint]:
        """Return the checkpoints, oldest first; a last line that a crash cut short does not count.

        Raises:
            AnchorsUnreadable: there is no such file, or a line of it is not a checkpoint.
        """
        try:
            text = self._path.read_text(encoding="utf-8")
            return [loads(Checkpoint, line) for line in text[: text.rfind("\n") + 1].splitlines()]
        except OSError as error:
            raise AnchorsUnreadable(f"The checkpoints in {self._path} cannot be read: {error.strerror}.") from error
        except ValueError as error:
            raise AnchorsUnreadable(f"The file {self._path} holds a line that is not a checkpoint: {error}") from error

    def append(self, checkpoints: Sequence[Checkpoint]) -> None:
        """Add lines and wait until they are on the disk.

        Raises:
            AnchorsUnreadable: the file cannot be written.
        """
        lines = "".join(dumps(checkpoint) + "\n" for checkpoint in checkpoints)
        try:
            self._forget_a_cut_line()
            with self._path.open("a", encoding="utf-8") as file:
                file.write(lines)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise AnchorsUnreadable(f"The checkpoints cannot be written to {self._path}: {error.strerror}.") from error

    def _forget_a_cut_line(self) -> None:
        with suppress(FileNotFoundError):
            data = self._path.read_bytes()
            if not data.endswith(b"\n"):
                os.truncate(self._path, data.rfind(b"\n") + 1)
