"""Pictures: announce, send the bytes, complete; a repeat after an unknown outcome looks first, so a picture is shown once."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from slack_sdk import WebClient

from bot.slack.client import Refused, Unanswered, call
from bot.slack.readback import Place, file_shared

ALT = 1_000
FileOpener = Any


class _Stay(HTTPRedirectHandler):
    """Follow no redirect: the bytes go where Slack said, or nowhere."""

    def redirect_request(self, *_: object, **__: object) -> None:
        return None


def upload(client: WebClient, name: str, png: bytes, alt: str) -> str:
    """Send the bytes and return the file's id; nobody sees it yet.

    Raises:
        SlackTrouble: it did not work; an unseen file does no harm.
    """
    told = call(lambda: client.files_getUploadURLExternal(filename=name, length=len(png), alt_txt=alt[:ALT]))
    _send(client, str(told["upload_url"]), png)
    return str(told["file_id"])


def show(client: WebClient, place: Place, file_id: str, title: str) -> None:
    """Share an uploaded file in a thread.

    Raises:
        SlackTrouble: Refused when the file cannot be shared (or was already), Unanswered when nobody knows.
    """
    files: list[dict[str, str | None]] = [{"id": file_id, "title": title[:200]}]
    call(lambda: client.files_completeUploadExternal(files=files, channel_id=place.channel, thread_ts=place.thread_ts or None))


def shown(client: WebClient, place: Place, kept: Mapping[str, object]) -> bool:
    """Return whether the file of an earlier attempt stands in the thread already."""
    return bool(kept.get("file")) and file_shared(client, place, str(kept["file"]))


def _send(client: WebClient, url: str, png: bytes) -> None:
    wanted, own = urlsplit(url), urlsplit(client.base_url)
    if wanted.scheme != "https" and wanted.hostname != own.hostname:
        raise Refused("bad_upload_url", detail="Slack named an upload address without TLS.")
    request = Request(url, data=png, headers={"Content-Type": "application/octet-stream"}, method="POST")  # noqa: S310
    opener = build_opener(_Stay)

    def post() -> None:
        with opener.open(request, timeout=client.timeout) as answer:
            if answer.status != 200:
                raise Unanswered(f"http_{answer.status}")

    call(post)
