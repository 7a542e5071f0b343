"""Files: announced, uploaded, then shared as a message; images know their size in pixels."""

from __future__ import annotations

import json
import mimetypes
import secrets
import struct

from bot.simulator.clock import Clock
from bot.simulator.database import Database
from bot.simulator.workspace import Json


class Files:
    """Every file of the workspace, bytes included."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    def announce(self, name: str, length: int, *, alt_txt: str, user: str) -> tuple[str, str]:
        """Return (file id, secret key) under which `length` bytes may now be uploaded."""
        file_id, key = self._db.new_id("F"), secrets.token_urlsafe(16)
        mimetype = mimetypes.guess_type(name)[0] or "application/octet-stream"
        doc: Json = {"id": file_id, "created": int(self._clock.now()), "name": name, "title": name, "user": user}
        doc |= {"mimetype": mimetype, "filetype": name.rpartition(".")[2], "size": length, "alt_txt": alt_txt}
        self._db.run("insert into files values (?, ?, 'announced', ?, null)", file_id, json.dumps(doc), key)
        return file_id, key

    def upload(self, key: str, body: bytes) -> bool:
        """Store the bytes; False when nobody announced them."""
        row = self._db.row("select id, doc from files where key = ? and state = 'announced'", key)
        if row is None:
            return False
        doc = json.loads(row["doc"]) | {"size": len(body)} | _pixels(body)
        sql = "update files set body = ?, state = 'uploaded', doc = ? where id = ?"
        return self._db.run(sql, body, json.dumps(doc), row["id"]) == 1

    def complete(self, file_id: str, title: str | None) -> Json | None:
        """Finish an upload and return the file, or None when its bytes never came."""
        row = self._db.row("select doc from files where id = ? and state = 'uploaded'", file_id)
        if row is None:
            return None
        doc: Json = json.loads(row["doc"]) | ({"title": title} if title else {})
        self._db.run("update files set state = 'complete', doc = ? where id = ?", json.dumps(doc), file_id)
        return doc

    def get(self, file_id: str) -> Json | None:
        """Return a finished file's description."""
        row = self._db.row("select doc from files where id = ? and state = 'complete'", file_id)
        return json.loads(row["doc"]) if row else None

    def body(self, file_id: str) -> bytes | None:
        """Return a finished file's bytes."""
        row = self._db.row("select body from files where id = ? and state = 'complete'", file_id)
        return bytes(row["body"]) if row else None


def for_page(file: Json) -> Json:
    """Return a file as the page needs it."""
    shown = {key: file.get(key) for key in ("id", "name", "title", "mimetype", "size", "alt_txt")}
    return {**shown, "url": f"/ui/files/{file['id']}", "width": file.get("original_w"), "height": file.get("original_h")}


def _pixels(body: bytes) -> Json:
    """Read width and height from a PNG's first chunk; other files have none."""
    if not body.startswith(b"\x89PNG\r\n\x1a\n") or len(body) < 24:
        return {}
    width, height = struct.unpack(">II", body[16:24])
    return {"original_w": width, "original_h": height}
