"""Slash commands that playbooks bring: what Slack takes as one, and whose it is already."""

from collections.abc import Collection, Iterable
from pathlib import Path

from bot.core.errors import ConfigError
from bot.core.playbooks import Playbook
from bot.yaml import load_file

LONGEST = 32
PATTERN = r"^/[a-z0-9][a-z0-9_-]*$"
"""As an app's manifest takes them: a slash, then lower-case letters, digits, hyphens and underscores."""

MOST = 49
"""An app has 50 at most, and one of them is /aiops."""

OURS = "/aiops"
SLACKS = frozenset(
    {
        "/active",
        "/apps",
        "/archive",
        "/away",
        "/call",
        "/canvas",
        "/collapse",
        "/dm",
        "/dnd",
        "/expand",
        "/feed",
        "/feedback",
        "/huddle",
        "/invite",
        "/invite_people",
        "/join",
        "/keys",
        "/kick",
        "/leave",
        "/list",
        "/me",
        "/msg",
        "/mute",
        "/open",
        "/part",
        "/prefs",
        "/remind",
        "/remove",
        "/rename",
        "/search",
        "/shortcuts",
        "/shrug",
        "/star",
        "/status",
        "/topic",
        "/unarchive",
        "/who",
    }
)
"""Commands of Slack itself, now or once: an app's of the same name is refused, or never reached."""


def owner(command: str) -> str:
    """Return whose a command is that no playbook may have; empty where it is free."""
    return "the bot's" if command == OURS else "Slack's" if command in SLACKS else ""


def refuse_clash(path: Path, playbook: Playbook, others: Collection[Playbook]) -> None:
    """Raise ConfigError, with file and line, where another playbook answers to this one's command, or there are too many."""
    if not playbook.command:
        return
    taken = {other.command: other.name for other in others if other.command and other.name != playbook.name}
    if playbook.command in taken:
        sentence = f"'{playbook.command}' is the command of the playbook '{taken[playbook.command]}' already; choose another one."
        raise load_file(path).wrong(("command",), sentence)
    if len(taken) >= MOST:
        raise load_file(path).wrong(
            ("command",), f"Slack gives an app {MOST} commands beside {OURS}, and all are taken; leave it out."
        )


def without_clashes(found: Iterable[tuple[Path, Playbook]]) -> tuple[dict[str, Playbook], list[str]]:
    """Return the playbooks by name, first come first served, and a sentence for each whose command was taken."""
    kept: dict[str, Playbook] = {}
    wrong: list[str] = []
    for path, playbook in found:
        try:
            refuse_clash(path, playbook, kept.values())
        except ConfigError as reason:
            wrong.append(str(reason))
        else:
            kept[playbook.name] = playbook
    return kept, wrong
