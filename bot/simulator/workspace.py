"""The nouns of a workspace: people, channels, groups and the one app that is installed in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from bot.simulator.errors import WorkspaceError

Json = dict[str, Any]
_Noun = TypeVar("_Noun")

ALL_SCOPES = (
    "app_mentions:read",
    "bookmarks:read",
    "bookmarks:write",
    "channels:history",
    "channels:join",
    "channels:manage",
    "channels:read",
    "chat:write",
    "commands",
    "files:read",
    "files:write",
    "groups:history",
    "groups:read",
    "groups:write",
    "im:history",
    "im:read",
    "im:write",
    "metadata.message:read",
    "pins:read",
    "pins:write",
    "reactions:read",
    "reactions:write",
    "usergroups:read",
    "users:read",
    "users:read.email",
)
ALL_EVENTS = (
    "app_home_opened",
    "app_mention",
    "member_joined_channel",
    "message.channels",
    "message.groups",
    "message.im",
    "reaction_added",
    "reaction_removed",
)


def _made_up(kind: str) -> str:
    """Return a token that opens nothing but this simulator."""
    return f"{kind}-simulator-{'0' * 12}"


@dataclass(frozen=True)
class User:
    """A member of the workspace. `title` tells the role, `id` starts with U or W."""

    id: str
    name: str
    real_name: str = ""
    title: str = ""
    email: str = ""
    color: str = "4a154b"
    is_bot: bool = False
    tz: str = "Etc/UTC"


@dataclass(frozen=True)
class Channel:
    """A channel as it starts; `members` are user ids or names."""

    id: str
    name: str
    members: tuple[str, ...] = ()
    topic: str = ""
    is_private: bool = False


@dataclass(frozen=True)
class UserGroup:
    """A group that can be mentioned as `<!subteam^ID>`; `users` are user ids or names."""

    id: str
    handle: str
    name: str = ""
    users: tuple[str, ...] = ()


@dataclass(frozen=True)
class Command:
    """A slash command of the app."""

    command: str
    description: str = ""
    usage_hint: str = ""
    should_escape: bool = False


@dataclass(frozen=True)
class Shortcut:
    """A global or message shortcut of the app."""

    name: str
    callback_id: str
    type: str = "global"
    description: str = ""


@dataclass(frozen=True)
class SlackApp:
    """The installed app: its tokens, what it may do and how it is reached.

    `transport` is "socket" or "http"; `request_url` is used by the latter.
    """

    id: str = "A0000000001"
    name: str = "aiops"
    bot_user_id: str = "U0000000BOT"
    bot_id: str = "B0000000001"
    bot_token: str = field(default=_made_up("xoxb"), repr=False)
    app_token: str = field(default=_made_up("xapp-1"), repr=False)
    signing_secret: str = field(default=_made_up("signing"), repr=False)
    scopes: tuple[str, ...] = ALL_SCOPES
    commands: tuple[Command, ...] = ()
    shortcuts: tuple[Shortcut, ...] = ()
    bot_events: tuple[str, ...] = ALL_EVENTS
    transport: str = "socket"
    request_url: str = ""

    @classmethod
    def from_manifest(cls, manifest: Mapping[str, Any], **given: Any) -> SlackApp:
        """Read a Slack app manifest (version 2, as a dict); `given` fields win over it."""
        features = manifest.get("features", {})
        settings = manifest.get("settings", {})
        read: Json = {
            "name": manifest.get("display_information", {}).get("name", "app"),
            "scopes": tuple(manifest.get("oauth_config", {}).get("scopes", {}).get("bot", ())),
            "commands": tuple(_noun(Command, c, skip=("url",)) for c in features.get("slash_commands", ())),
            "shortcuts": tuple(_noun(Shortcut, s) for s in features.get("shortcuts", ())),
            "bot_events": tuple(settings.get("event_subscriptions", {}).get("bot_events", ())),
            "transport": "socket" if settings.get("socket_mode_enabled") else "http",
            "request_url": settings.get("interactivity", {}).get("request_url", ""),
        }
        return cls(**{**read, **given})


@dataclass(frozen=True)
class Workspace:
    """Everything the simulator needs to know before it starts."""

    users: tuple[User, ...]
    channels: tuple[Channel, ...]
    app: SlackApp = SlackApp()
    groups: tuple[UserGroup, ...] = ()
    team_id: str = "T0000000001"
    team_name: str = "Blue Jay Air"
    domain: str = "blue-jay"

    @classmethod
    def from_json(cls, path: str | Path) -> Workspace:
        """Read a workspace file; see `from_dict`."""
        try:
            return cls.from_dict(json.loads(Path(path).read_text(encoding="utf-8")))
        except (OSError, json.JSONDecodeError) as problem:
            raise WorkspaceError(f"The workspace file {path} cannot be read: {problem}.") from problem

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Workspace:
        """Build a workspace from plain JSON; `app.manifest` may hold a Slack app manifest.

        Raises:
            WorkspaceError: a field is unknown or missing, or a member is nobody.
        """
        given = dict(data)
        app = dict(given.pop("app", {}))
        manifest = app.pop("manifest", None)
        for name, noun in (("commands", Command), ("shortcuts", Shortcut)):
            if name in app:
                app[name] = tuple(_noun(noun, item) for item in app[name])
        built = _noun(SlackApp, app) if manifest is None else SlackApp.from_manifest(manifest, **_tupled(app))
        workspace: Workspace = _noun(
            cls,
            {
                **given,
                "app": built,
                "users": tuple(_noun(User, u) for u in given.get("users", ())),
                "channels": tuple(_noun(Channel, c) for c in given.get("channels", ())),
                "groups": tuple(_noun(UserGroup, g) for g in given.get("groups", ())),
            },
        )
        workspace.check()
        return workspace

    def check(self) -> None:
        """Raise WorkspaceError when a member is nobody or an id or name is used twice."""
        for members in [c.members for c in self.channels] + [g.users for g in self.groups]:
            for member in members:
                self.person(member)
        for what, names in (
            ("user id", [u.id for u in self.people]),
            ("user name", [u.name for u in self.people]),
            ("channel id", [c.id for c in self.channels]),
            ("channel name", [c.name for c in self.channels]),
        ):
            doubled = {name for name in names if names.count(name) > 1}
            if doubled:
                raise WorkspaceError(f"The {what} {min(doubled)!r} is used twice in the workspace; make it unique.")

    @property
    def people(self) -> tuple[User, ...]:
        """Return the users and, last, the app's own bot user."""
        return (*self.users, self.bot)

    @property
    def bot(self) -> User:
        """Return the bot user of the app."""
        return User(self.app.bot_user_id, self.app.name, self.app.name, is_bot=True)

    def person(self, who: str) -> User:
        """Return the user with this id or name, with or without an @."""
        for user in self.people:
            if who.removeprefix("@") in {user.id, user.name}:
                return user
        known = ", ".join(u.name for u in self.people)
        raise WorkspaceError(f"Nobody in the workspace is called {who!r}; known are {known}.")


def _tupled(values: Mapping[str, Any]) -> Json:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}


def _noun(kind: type[_Noun], values: Mapping[str, Any], *, skip: tuple[str, ...] = ()) -> _Noun:
    known = {f.name for f in fields(kind)}  # type: ignore[arg-type]
    given = {key: value for key, value in values.items() if key not in skip}
    unknown = sorted(set(given) - known)
    if unknown:
        raise WorkspaceError(f"A {kind.__name__} has no field {unknown[0]!r}; known are {', '.join(sorted(known))}.")
    try:
        return kind(**_tupled(given))
    except TypeError as problem:
        raise WorkspaceError(f"A {kind.__name__} is incomplete: {problem}.") from problem


def default_workspace() -> Workspace:
    """Return the workspace that tests get: four people with four roles, three channels, one app."""
    users = (
        User("U00000000AA", "ana", "Ana Pereira", "ML engineer", "ana@example.com", "e01e5a"),
        User("U00000000BB", "bo", "Bo Lindqvist", "ML on-call lead", "bo@example.com", "2eb67d"),
        User("U00000000CC", "cy", "Cy Okafor", "Product, read only", "cy@example.com", "36c5f0"),
        User("U00000000DD", "dee", "Dee Novak", "Data engineering", "dee@example.com", "ecb22e"),
    )
    everyone = tuple(user.name for user in users)
    channels = (
        Channel("C0000000GEN", "general", everyone, "Company-wide announcements"),
        Channel("C0000000OPS", "ops", (*everyone, "aiops"), "Models in production"),
        Channel("C000000DATA", "data-eng", ("dee", "ana", "aiops"), "Pipelines and feeds"),
    )
    groups = (
        UserGroup("S0000000MLO", "ml-oncall", "ML on-call", ("ana", "bo")),
        UserGroup("S000000DATA", "data-eng", "Data engineering", ("dee",)),
    )
    app = SlackApp(commands=(Command("/aiops", "Models in production", "status | incidents | report | help"),))
    return Workspace(users, channels, app, groups)
