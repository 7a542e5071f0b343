"""The shell: `aiops …`. Every verb is one thin function over the story; nothing here decides anything.

Rooms: `front` (options that every command has, errors, exit codes), `paper` (tables for people, JSON for programs), and one file a
group of commands. Exit codes: 0 done or healthy, 1 a problem was found, 2 an error that a person can mend, 3 unknown, 70 a bug.
"""

from bot.cli import audit, auto, backtest, brake, config, database, drift, estimate, look, playbook, runs, slack, start
from bot.cli.front import app, carried_out, hoisted

__all__ = ["app", "main"]

for group in (start, look, drift, estimate, backtest, runs, brake, auto, playbook, audit, slack, database, config):
    group.register(app)


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code; the entry point of the shell command `aiops`."""
    return carried_out(app, hoisted(arguments))
