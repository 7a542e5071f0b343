"""The one way out: an HTTP client that goes only where the configuration allows, and always comes back in time.

- The host must be on the list, and the *resolved* address is checked and then used, so a name that changes its address between the
  check and the call (rebinding) gains nothing. Loopback must be written as such; link-local (cloud metadata), multicast and
  unspecified addresses are never called.
- No redirects, no proxies from the environment, no compressed answers (bombs), a cap on size.
- The deadline is for the whole call: a server that drips one byte a second passes every read timeout, but not this.
- A call that was never sent (`Unreached`) can be repeated; a write that was sent and not answered is `OutcomeUnknown`.
"""

import ipaddress
import json as jsonlib
import queue
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Self

import httpcore
import httpx

from bot.core.errors import ActionFailed, ConfigError, OutcomeUnknown

Tls = ssl.SSLContext
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
DEADLINE: ContextVar[float] = ContextVar("deadline")
IDLE_S = 1.0  # then a connection is not used again: servers hang up on it (often after 5 s), maybe in the middle of a call
SENT = {"accept-encoding": "identity", "user-agent": "aiops-bot"}


class Unreached(ActionFailed):
    """Nothing was sent, so nothing happened; the call can be made again."""


class Unanswered(ActionFailed):
    """A read got no whole answer in time."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """Where calls may go: `host:port` as the configuration writes them ("mlflow.corp:443", "10.0.0.7:5000", "[::1]:80").

    This machine itself is called only where the configuration says so in plain words: "localhost" or a loopback address.
    """

    hosts: frozenset[str]

    @classmethod
    def of(cls, *urls: str) -> Self:
        """Return what is needed to call these URLs, port for port, and nothing else."""
        parsed = [_url(url) for url in urls]
        return cls(frozenset(f"{_bracketed(url.host)}:{_port(url)}" for url in parsed))

    def check_host(self, host: str, port: int) -> None:
        """Raise ConfigError unless this host and port are on the list."""
        name = f"{_bracketed(host)}:{port}"
        if name not in self.hosts:
            raise ConfigError(f"{name} is not among the hosts that the configuration lets the bot call.")

    def check_address(self, host: str, address: Address) -> None:
        """Raise ConfigError when a permitted name leads to an address that must not be called."""
        for real in _faces(address):
            if real.is_loopback and not _names_this_machine(host):
                raise ConfigError(f"{host} leads to this machine itself; write 127.0.0.1 or localhost if that is meant.")
            if not real.is_loopback and (real.is_link_local or real.is_multicast or real.is_unspecified or real.is_reserved):
                raise ConfigError(f"{host} leads to the special address {address}, which is never called.")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said, whole."""

    status: int
    body: bytes
    where: str
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The body as text; bytes that are no UTF-8 become marks."""
        return self.body.decode("utf-8", "replace")

    def checked(self) -> Self:
        """Return it when its status is 2xx, else raise ActionFailed."""
        if not 200 <= self.status < 300:
            raise ActionFailed(f"{self.where} answered {self.status}.")
        return self

    def json(self) -> Any:
        """Return the body as JSON; ActionFailed when it is none."""
        try:
            return jsonlib.loads(self.body)
        except (ValueError, RecursionError):
            raise ActionFailed(f"{self.where} did not answer with JSON.") from None


class Http:
    """Makes guarded calls; safe to share between threads."""

    def __init__(self, allowed: Allowed, *, deadline_s: float = 10, most_bytes: int = 8_000_000, tls: Tls | None = None) -> None:
        self._allowed, self._deadline_s, self._most_bytes = allowed, deadline_s, most_bytes
        transport, seal = httpx.HTTPTransport(trust_env=False), tls or ssl.create_default_context()
        # httpx has no public way to give it a network backend; tests/unit/test_http.py fails if this stops working
        transport._pool = httpcore.ConnectionPool(ssl_context=seal, network_backend=_Guard(allowed), keepalive_expiry=IDLE_S)
        self._client = httpx.Client(transport=transport, headers=SENT, follow_redirects=False, trust_env=False)

    def get(self, url: str, *, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None) -> Answer:
        """Read. Raises ConfigError (not allowed), Unreached or Unanswered."""
        try:
            return self._call("GET", url, params=params, headers=headers)
        except OutcomeUnknown as error:  # harmless for a read
            raise Unanswered(str(error)) from error

    def post(
        self,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        json: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Write. Raises ConfigError (not allowed), Unreached (nothing happened) or OutcomeUnknown (read back)."""
        return self._call("POST", url, params=params, json=json, headers=headers)

    def send(self, method: str, url: str, body: bytes, *, headers: Mapping[str, str]) -> Answer:
        """Write these very bytes, for a signature over them. Raises as `post` does."""
        return self._call(method, url, content=body, headers=headers)

    def ask(self, url: str, *, json: object, headers: Mapping[str, str] | None = None) -> Answer:
        """Read by POST, for questions too long for a URL. Raises as `get` does."""
        try:
            return self._call("POST", url, json=json, headers=headers)
        except OutcomeUnknown as error:
            raise Unanswered(str(error)) from error

    def close(self) -> None:
        """Close idle connections."""
        self._client.close()

    def _call(self, method: str, url: str, **content: Any) -> Answer:
        request = self._client.build_request(method, _url(url), timeout=self._deadline_s, **content)
        where = f"{_bracketed(request.url.host)}:{_port(request.url)}{request.url.path}"
        self._allowed.check_host(request.url.host, _port(request.url))
        token = DEADLINE.set(time.monotonic() + self._deadline_s)
        try:
            return self._answer(request, where)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise Unreached(f"{where} could not be reached; nothing was sent.") from error
        except httpx.TimeoutException as error:
            raise OutcomeUnknown(f"{where} gave no whole answer within {self._deadline_s:g} s.") from error
        except httpx.HTTPError as error:
            raise OutcomeUnknown(f"{where} broke the call off before its answer was whole.") from error
        finally:
            DEADLINE.reset(token)

    def _answer(self, request: httpx.Request, where: str) -> Answer:
        response = self._client.send(request, stream=True)
        try:
            return Answer(response.status_code, self._body(response, where), where, dict(response.headers))
        finally:
            response.close()

    def _body(self, response: httpx.Response, where: str) -> bytes:
        if response.has_redirect_location:
            raise ActionFailed(f"{where} answered with a redirect, which is not followed; configure the final address.")
        if response.headers.get("content-encoding", "identity") != "identity":
            raise OutcomeUnknown(f"{where} compressed its answer although asked not to.")
        body = bytearray()
        for piece in response.iter_raw():
            body += piece
            if len(body) > self._most_bytes:
                raise OutcomeUnknown(f"{where} answered with more than {self._most_bytes:,} bytes.")
        return bytes(body)


class _Guard(httpcore.NetworkBackend):
    """Connects only to addresses that were checked, and counts every wait against the call's deadline."""

    def __init__(self, allowed: Allowed) -> None:
        self._allowed = allowed
        self._network = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - ours is the whole call's
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        addresses = _resolved(host, port)
        for address in addresses:  # all of them, before any is called
            self._allowed.check_address(host, address)
        for left, address in zip(range(len(addresses))[::-1], addresses, strict=True):
            try:
                return _Stream(self._network.connect_tcp(str(address), port, _remaining(), local_address, socket_options))
            except httpcore.ConnectError:
                if not left:
                    raise
        raise httpcore.ConnectError(f"{host} has no address.")

    def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore.NetworkStream:
        raise httpcore.ConnectError("Sockets in the file system are not called.")

    def sleep(self, seconds: float) -> None:
        time.sleep(min(seconds, _remaining()))


class _Stream(httpcore.NetworkStream):
    """A connection whose every wait ends with the call's deadline."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        return self._inner.read(max_bytes, _remaining(httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        self._inner.write(buffer, _remaining(httpcore.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, _remaining()))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _remaining(too_late: type[Exception] = httpcore.ConnectTimeout) -> float:
    """Return the seconds left of this call."""
    left = DEADLINE.get() - time.monotonic()
    if left <= 0:
        raise too_late("The call's deadline has passed.")
    return left


def _resolved(host: str, port: int) -> Sequence[Address]:
    """Return the host's addresses; a name server that hangs is left alone when the deadline comes."""
    found: queue.SimpleQueue[Sequence[Address] | OSError] = queue.SimpleQueue()
    threading.Thread(target=lambda: found.put(_looked_up(host, port)), daemon=True).start()
    try:
        addresses = found.get(timeout=_remaining())
    except queue.Empty:
        raise httpcore.ConnectTimeout(f"{host} was not resolved in time.") from None
    if isinstance(addresses, OSError):
        raise httpcore.ConnectError(f"{host} has no address.") from addresses
    return addresses


def _looked_up(host: str, port: int) -> Sequence[Address] | OSError:
    try:
        rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        return error if isinstance(error, OSError) else OSError(str(error))
    texts = dict.fromkeys(str(row[4][0]).partition("%")[0] for row in rows)
    return [ipaddress.ip_address(text) for text in texts]


def _faces(address: Address) -> list[Address]:
    """An IPv6 address may carry an IPv4 one inside; every face of it is checked."""
    inner = [address.ipv4_mapped, address.sixtofour] if isinstance(address, ipaddress.IPv6Address) else []
    return [face for face in inner if face] or [address]


def _names_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _url(text: str) -> httpx.URL:
    try:
        url = httpx.URL(text)
    except (httpx.InvalidURL, UnicodeError):
        raise ConfigError("A configured URL is not one; write it like https://host:port/path.") from None
    if url.scheme not in ("http", "https") or not url.host or (url.port or 0) > 65_535:
        raise ConfigError("Only http:// and https:// URLs with a host can be called.")
    if url.userinfo:
        raise ConfigError("A configured URL holds a password; give credentials by environment instead.")
    return url


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _port(url: httpx.URL) -> int:
    return url.port or (443 if url.scheme == "https" else 80)
