"""The TCP connections below HTTP: kept so that one can be reset, as a failing network does."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any

from starlette.datastructures import Address
from uvicorn.protocols.http.h11_impl import H11Protocol


class Connections:
    """The open connections by the address of the other side."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, int], asyncio.Transport] = {}

    def protocol(self) -> type[H11Protocol]:
        """Return an HTTP protocol for uvicorn that reports its connections here."""
        known = self._open

        class Watched(H11Protocol):
            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
                super().connection_made(transport)
                known[transport.get_extra_info("peername")[:2]] = transport

            def connection_lost(self, exc: Exception | None) -> None:
                for address in [a for a, transport in known.items() if transport is self.transport]:
                    del known[address]
                super().connection_lost(exc)

        return Watched

    def reset(self, client: Address | tuple[str, int] | None) -> None:
        """Reset the connection of this client: nothing more is sent, not even a goodbye."""
        transport = self._open.pop((client[0], client[1]), None) if client else None
        if transport is None:
            return
        raw: Any = transport.get_extra_info("socket")
        # Linger of zero seconds makes the kernel send RST in the place of FIN.
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
