"""Processes that never outlive the one that started them, however it ends: returns, raises, or is killed with SIGKILL.

A leash is the pipe to the child's standard input: nobody ever writes to it, and the kernel closes it when the parent is gone. A
program of ours watches it itself (`exit_with_parent`); a foreign one is held by a small process that does
(`python -m bot.demo.leash program …`).
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

PATIENCE_S = 5.0
PR_SET_PDEATHSIG = 1


class DemoFailed(Exception):
    """A part of the demo did not start or has stopped; the sentence says where its log lies."""


class Leashed:
    """A running program; its output goes to `log`."""

    def __init__(self, command: Sequence[str], log: Path, *, foreign: bool = False, env: Mapping[str, str] | None = None) -> None:
        self.name, self.log = Path(command[0]).name if foreign else " ".join(command[1:4]), log
        holder = [sys.executable, "-m", "bot.demo.leash"] if foreign else []
        with log.open("ab") as out:
            self._process = subprocess.Popen(  # noqa: S603 - our own programs, no shell
                [*holder, *command],
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=out,
                env={**os.environ, **(env or {})},
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process's id; also that of its group."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Still running."""
        return self._process.poll() is None

    def wait_for(self, found: Callable[[], T | None], seconds: float = 20.0) -> T:
        """Return what `found` returns as soon as it is something.

        Raises:
            DemoFailed: the program ended first, or the time was up.
        """
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if (it := found()) is not None:
                return it
            if not self.alive:
                raise DemoFailed(f"{self.name} ended while starting; {self._last_words()}")
            time.sleep(0.01)
        raise DemoFailed(f"{self.name} was not ready within {seconds:g} s; {self._last_words()}")

    def let_go(self) -> None:
        """Drop the leash: it begins to end."""
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()  # type: ignore[union-attr]

    def stop(self) -> None:
        """Let it go and wait until it has; after `PATIENCE_S` it is killed with everything it started."""
        self.let_go()
        try:
            self._process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it at once, as a crash would."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()

    def _last_words(self) -> str:
        lines = self.log.read_text("utf-8", "replace").strip().splitlines()
        return f"its log {self.log} ends: {lines[-1][:300] if lines else 'empty'}"


def exit_with_parent(stop: Callable[[], None]) -> None:
    """Call `stop` from a thread of its own when the parent lets go or dies."""

    def watch() -> None:
        while os.read(0, 1024):
            pass
        stop()

    threading.Thread(target=watch, daemon=True, name="leash").start()


def hold(command: Sequence[str]) -> int:
    """Run a foreign program until it ends or our own parent is gone; return its exit code."""
    # this process has one thread yet, so preparing the child before exec is safe; SIGKILL to us then reaches it too
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=_die_with_us)  # noqa: S603, PLW1509
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    exit_with_parent(lambda: _end(child))
    return child.wait()


def _end(child: "subprocess.Popen[bytes]") -> None:
    child.terminate()
    time.sleep(PATIENCE_S / 2)
    child.kill()


def _die_with_us() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(hold(sys.argv[1:]))
