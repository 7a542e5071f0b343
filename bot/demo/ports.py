"""A port that is free now and stays free until the program it is meant for has started.

Whoever asks the kernel for any port and lets it go again may find it taken a moment later: the kernel deals the same ports out to
everybody who connects somewhere. So the port is looked for below those.
"""

import random
import socket
from functools import partial
from pathlib import Path

FIRST, DEALT_FROM = 10_000, 32_768
"""The kernel's own are read from Linux; elsewhere they begin no lower than at Linux's default."""
RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")

_given: set[int] = set()


def free_port() -> int:
    """Return a port of 127.0.0.1 at which nobody listens, never the same one twice to one process."""
    end = int(RANGE.read_text("ascii").split()[0]) if RANGE.exists() else DEALT_FROM
    drawn = iter(partial(random.randrange, FIRST, max(end, FIRST + 1_000)), None)
    port = next(port for port in drawn if port not in _given and _is_free(port))
    _given.add(port)
    return port


def _is_free(port: int) -> bool:
    with socket.socket() as listener:
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
