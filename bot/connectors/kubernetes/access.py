"""How an API server is reached: where it is, whose word is believed, which token is shown; for every connector to a cluster."""

import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field

from bot import validation
from bot.connectors.kubernetes.api import Api
from bot.core.errors import ConfigError
from bot.http import Allowed, Http
from bot.validation import Part

MOUNTED = Path("/var/run/secrets/kubernetes.io/serviceaccount")
Name = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9.]{0,250}[a-z0-9])?$")]
ACCESS = {
    "url": "the API server, e.g. https://10.0.0.1:6443; without it, the cluster in which the bot itself runs",
    "token": "a service account's token, named: ${file:…} or ${env:…}",
    "token_file": "instead of token: a file with it that is read at each call, for tokens that are replaced",
    "ca": "file with the certificate authority of the API server",
    "namespace": "where targets lie that name none; in a cluster the bot's own, else default",
    "timeout": "seconds that one call may take, whole; 10 by default",
}


class Access(Part):
    """What every cluster's section has; without `url` the bot's own service account in the cluster is used."""

    url: str = ""
    token: str = ""
    token_file: str = ""
    ca: str = ""
    namespace: Name | None = None
    timeout: float = Field(default=10.0, gt=0, le=60)


class Target(Part):
    """An object in the cluster that serves a model; each connector calls the field after its kind."""

    called: Name
    namespace: Name | None = None


class Routing(Access):
    """The section of a connector to what shares traffic: an object for each model, and how its versions are told apart."""

    targets: Mapping[str, Target]
    version_label: str = Field(default="", pattern=r"^([a-zA-Z0-9]([-a-zA-Z0-9_./]{0,300}[a-zA-Z0-9])?)?$")


def routing(options: Mapping[str, object], section: type[Routing], *, of: str) -> tuple[Api, dict[str, tuple[str, str]], str]:
    """Return the API server, the namespace and name of what serves each model, and the label that names a version.

    Raises:
        ConfigError: an option is missing or wrong, or the bot does not run in a cluster and no `url` says where one is.
    """
    read = validation.options(options, section, of=of)
    api, home = reached(read, of=of)
    places = {model: (target.namespace or home, target.called) for model, target in read.targets.items()}
    return api, places, read.version_label


def reached(read: Access, *, of: str) -> tuple[Api, str]:
    """Return the API server, and the namespace of targets that name none.

    Raises:
        ConfigError: the bot does not run in a cluster and no `url` says where one is, or a file is missing.
    """
    inside = not read.url
    url = read.url or _own_cluster(of)
    token_file = read.token_file or (str(MOUNTED / "token") if inside and not read.token else "")
    _sealed(url, bool(read.token or token_file), of)
    tls = _trust(read.ca or (str(MOUNTED / "ca.crt") if inside else ""), of)
    home = read.namespace or (_read(MOUNTED / "namespace", of) if inside else "default")
    http = Http(Allowed.of(url), deadline_s=read.timeout, tls=tls)
    return Api(url, http, lambda: _read(Path(token_file), of) if token_file else read.token), home


def _own_cluster(of: str) -> str:
    host, port = os.environ.get("KUBERNETES_SERVICE_HOST", ""), os.environ.get("KUBERNETES_SERVICE_PORT", "443")
    if not host:
        raise ConfigError(f"{of}: the bot does not run in a cluster, so `url` must say where the API server is.")
    return f"https://{f'[{host}]' if ':' in host else host}:{port}"


def _sealed(url: str, token: bool, of: str) -> None:  # noqa: FBT001
    parts = urlsplit(url)
    if token and parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "::1", "localhost"):
        raise ConfigError(f"{of}: a token is sent over https:// only; correct `url`.")


def _trust(ca: str, of: str) -> ssl.SSLContext:
    """What a server's certificate must be signed by: this file's authorities only, or this machine's usual ones."""
    try:
        return ssl.create_default_context(cafile=ca or None)
    except (OSError, ValueError):  # an SSLError is an OSError
        raise ConfigError(f"{of}: {ca} holds no certificate authority that can be read; name a PEM file.") from None


def _read(path: Path, of: str) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        raise ConfigError(f"{of}: {path} cannot be read; is the service account's token mounted?") from None
