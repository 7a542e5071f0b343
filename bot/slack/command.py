"""A subcommand of `/aiops`: one file in `bot/slack/commands/` that makes one `Command`, and its test."""

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bot.core.approvals import Principal
from bot.core.errors import NotFound
from bot.core.registry import discover
from bot.flow.called import WORDS, by_command
from bot.flow.desk import Desk
from bot.slack import commands as package


@dataclass(frozen=True, slots=True)
class Answer:
    """What to show to the person who asked: a template and its data."""

    template: str
    data: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asked what: the words after the subcommand, and every subcommand there is."""

    who: Principal
    words: Sequence[str] = ()
    commands: Mapping[str, "Command"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Command:
    """`run` answers; it may raise any AiopsError, whose sentence is then shown instead. `usage` names its words."""

    name: str
    summary: str
    run: Callable[[Desk, Asked], Answer]
    usage: str = ""


def known_commands() -> dict[str, Command]:
    """Return every subcommand, ours and those of installed plug-ins, by name."""
    return discover(package, Command)


def help_answer(desk: Desk, commands: Mapping[str, Command], problem: str = "") -> Answer:
    """Return the list of subcommands and of the playbooks' own commands, with what could not be understood above it."""
    rows = [{"name": c.name, "usage": c.usage, "summary": c.summary} for c in commands.values()]
    own = [{"command": c, "usage": WORDS, "title": p.title} for c, p in by_command(desk.playbooks).items()]
    return Answer("help", {"problem": problem, "commands": rows, **({"own": own} if own else {})})


def answer(desk: Desk, text: str, who: Principal, commands: Mapping[str, Command]) -> Answer:
    """Return the answer to what was typed after `/aiops`. An unknown word is answered with help and the nearest name."""
    words = text.split()
    if not words:
        return help_answer(desk, commands)
    name = words[0].lower()
    if name not in commands:
        near = difflib.get_close_matches(name, commands, 1, 0.5)
        hint = f" Is it '{near[0]}'?" if near else ""
        return help_answer(desk, commands, f"There is no /aiops {words[0][:40]}.{hint}")
    return commands[name].run(desk, Asked(who, words[1:], commands))


def whole_number(word: str, what: str) -> int:
    """Return a number that a person typed or a button carried, with or without a #.

    Raises:
        NotFound: it is no number, or none that anything here can have.
    """
    digits = word.strip().removeprefix("#")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 9):
        raise NotFound(f"'{word[:40]}' is no number of {what}; write it like 12.")
    return int(digits)
