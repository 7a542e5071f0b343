"""The runner of one command: claims the start, runs it once, ends it in time, writes down how it ended.

Started by `bot.connectors.command` as a file of its own, with the standard library only, so that it outlives whoever called it.
"""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO
from uuid import uuid4

ORDER, CLAIM, LOCK, OUTPUT, CANCEL, ENDED = "order.json", "claimed", "lock", "output", "cancel", "ended.json"
LOOK_S = 0.1
GRACE_S = 10.0
TRIES, TRY_S = 50, 0.02


def main(here: Path) -> None:
    """Run the order in this folder, unless another runner has claimed it."""
    with (here / LOCK).open("a") as lock:
        if _locked(lock) and _claimed(here):
            write(here / ENDED, _run(here, json.loads((here / ORDER).read_text("utf-8"))))


def _locked(lock: IO[str]) -> bool:
    """Take the lock for as long as this process lives; whoever only looks whether it is taken lets go of it at once."""
    for _ in range(TRIES):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(TRY_S)
        else:
            return True
    return False


def _claimed(here: Path) -> bool:
    try:
        os.close(os.open(here / CLAIM, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    except FileExistsError:
        return False
    return True


def _run(here: Path, order: dict[str, object]) -> dict[str, object]:
    began = time.monotonic()
    try:
        with (here / OUTPUT).open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 - what the operator has configured, no shell
                order["run"],  # type: ignore[call-overload]
                cwd=order["folder"],
                env=order["environment"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
    except OSError as problem:
        return {"code": None, "why": f"it could not be started: {problem.strerror}", "seconds": 0.0}
    why = ""
    while process.poll() is None:
        late = time.monotonic() - began > float(order["timeout_s"])  # type: ignore[arg-type]
        if late or (here / CANCEL).exists():
            why = f"stopped after {order['timeout_s']:g} s, its time" if late else "stopped, as asked"
            _end(process)
        time.sleep(LOOK_S)
    return {"code": process.returncode if not why else None, "why": why, "seconds": round(time.monotonic() - began, 1)}


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Ask the whole group to end, then end it."""
    for sign, patience in ((signal.SIGTERM, GRACE_S), (signal.SIGKILL, None)):
        try:
            os.killpg(process.pid, sign)
            process.wait(patience)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def write(path: Path, told: Mapping[str, object]) -> None:
    """Write a file whole or not at all; others may be writing the same at this moment."""
    part = path.with_suffix(f".{uuid4().hex}")
    part.write_text(json.dumps(told), "utf-8")
    part.replace(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
