"""Modals and Home tabs, and the trigger ids without which no modal opens."""

from __future__ import annotations

import json
import secrets

from bot.simulator.blocks import with_ids
from bot.simulator.clock import Clock
from bot.simulator.database import Database
from bot.simulator.errors import SlackError
from bot.simulator.inputs import initial_values
from bot.simulator.workspace import Json, Workspace

TRIGGER_S = 3.0
STACK = 3


class Views:
    """Every view: one Home tab a person, and a stack of up to three modals that is open in front of them."""

    def __init__(self, db: Database, workspace: Workspace, clock: Clock) -> None:
        self._db = db
        self._workspace = workspace
        self._clock = clock

    def new_trigger(self, user: str, view: str = "") -> str:
        """Return a trigger id: good once, for three seconds."""
        trigger = f"{self._db.next('trigger')}.{secrets.token_hex(8)}"
        due = self._clock.now() + TRIGGER_S
        self._db.run("insert into triggers (id, user, view, due) values (?, ?, ?, ?)", trigger, user, view, due)
        return trigger

    def take_trigger(self, trigger: str) -> str:
        """Return whose click this trigger id stands for, and use it up.

        Raises:
            SlackError: invalid_trigger_id, expired_trigger_id, or exchanged_trigger_id when used before.
        """
        row = self._db.row("select * from triggers where id = ?", trigger)
        if row is None:
            raise SlackError("invalid_trigger_id")
        if self._clock.now() >= row["due"]:
            raise SlackError("expired_trigger_id")
        if self._db.run("update triggers set used = 1 where id = ? and used = 0", trigger) == 0:
            raise SlackError("exchanged_trigger_id")
        return str(row["user"])

    def open(self, user: str, view: Json) -> Json:
        """Show a modal, in the place of any that is open."""
        self.clear(user)
        return self._insert(user, view, above=None)

    def push(self, user: str, view: Json) -> Json:
        """Show a modal above the open one."""
        stack = self.stack(user)
        if not stack:
            raise SlackError("not_found")
        if len(stack) >= STACK:
            raise SlackError("push_limit_reached")
        return self._insert(user, view, above=stack[-1])

    def update(self, view_id: str, view: Json, known_hash: str | None) -> Json:
        """Put a new content into an open view; what was typed stays where block_id and action_id stay.

        Raises:
            SlackError: not_found, or hash_conflict when `known_hash` is not the newest.
        """
        row = self._db.row("select * from views where id = ? and state = 'open'", view_id)
        if row is None:
            raise SlackError("not_found")
        old: Json = json.loads(row["doc"])
        if known_hash is not None and known_hash != old["hash"]:
            raise SlackError("hash_conflict")
        kept = {key: old[key] for key in ("id", "root_view_id", "previous_view_id")}
        return self._save(self._dressed(view, kept), view_id)

    def publish(self, user: str, view: Json, known_hash: str | None) -> Json:
        """Put a new content into somebody's Home tab."""
        home = self.home(user)
        if home is not None:
            if known_hash is not None and known_hash != home["hash"]:
                raise SlackError("hash_conflict")
            return self._save(self._dressed(view, {"id": home["id"], "root_view_id": home["id"]}), home["id"])
        return self._insert(user, view, above=None)

    def keep_state(self, view_id: str, values: Json) -> None:
        """Remember what was typed into a view."""
        if view := self.get(view_id):
            self._save({**view, "state": {"values": values}}, view_id)

    def close(self, view_id: str) -> None:
        """Close one view; the one below it, if any, is shown again."""
        self._db.run("update views set state = 'closed' where id = ? and kind = 'modal'", view_id)

    def clear(self, user: str) -> list[Json]:
        """Close every modal of a person and return them."""
        stack = self.stack(user)
        for view in stack:
            self.close(view["id"])
        return stack

    def get(self, view_id: str) -> Json | None:
        """Return an open view, or None."""
        row = self._db.row("select doc from views where id = ? and state = 'open'", view_id)
        return json.loads(row["doc"]) if row else None

    def by_external_id(self, external_id: str) -> Json | None:
        """Return the open view with this external id."""
        sql = "select doc from views where state = 'open' and json_extract(doc, '$.external_id') = ?"
        row = self._db.row(sql, external_id)
        return json.loads(row["doc"]) if row else None

    def owner(self, view_id: str) -> str | None:
        """Return the person in front of whom this view stands."""
        row = self._db.row("select user from views where id = ?", view_id)
        return row["user"] if row else None

    def stack(self, user: str) -> list[Json]:
        """Return the open modals of a person, bottom first."""
        sql = "select doc from views where user = ? and kind = 'modal' and state = 'open' order by depth"
        return [json.loads(row["doc"]) for row in self._db.rows(sql, user)]

    def home(self, user: str) -> Json | None:
        """Return the Home tab of a person, or None when the app never published one."""
        row = self._db.row("select doc from views where user = ? and kind = 'home'", user)
        return json.loads(row["doc"]) if row else None

    def _insert(self, user: str, view: Json, above: Json | None) -> Json:
        external = view.get("external_id")
        if external and self.by_external_id(external):
            raise SlackError("duplicate_external_id")
        view_id = self._db.new_id("V")
        kept: Json = {"id": view_id, "root_view_id": view_id}
        if above:
            kept = {"id": view_id, "root_view_id": above["root_view_id"], "previous_view_id": above["id"]}
        doc = self._dressed(view, kept)
        depth = len(self.stack(user)) + 1
        self._db.run("insert into views values (?, ?, ?, 'open', ?, ?)", *(view_id, view["type"], user, depth, json.dumps(doc)))
        return doc

    def _dressed(self, view: Json, kept: Json) -> Json:
        app = self._workspace.app
        blocks = with_ids(view["blocks"])
        dressed: Json = {"team_id": self._workspace.team_id, "app_id": app.id, "bot_id": app.bot_id}
        dressed |= {"app_installed_team_id": self._workspace.team_id, "previous_view_id": None, "external_id": ""}
        dressed |= {"private_metadata": "", "callback_id": "", "clear_on_close": False, "notify_on_close": False}
        dressed |= {"title": None, "submit": None, "close": None, **view, **kept, "blocks": blocks}
        dressed |= {"state": {"values": initial_values(blocks)}}
        return dressed | {"hash": f"{int(self._clock.now())}.{secrets.token_hex(4)}"}

    def _save(self, doc: Json, view_id: str) -> Json:
        self._db.run("update views set doc = ? where id = ?", json.dumps(doc), view_id)
        return doc
