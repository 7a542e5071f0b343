"""`python -m bot.simulator`: a Slack of your own on loopback. Prints its URL, then serves until stopped."""

from __future__ import annotations

import argparse
import contextlib
import sys

from bot.simulator.errors import WorkspaceError
from bot.simulator.server import Simulator
from bot.simulator.workspace import Workspace, default_workspace


def main(arguments: list[str] | None = None) -> int:
    """Run the simulator; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bot.simulator", description="A strict Slack on 127.0.0.1.")
    parser.add_argument("--port", type=int, default=0, help="0 (default) takes any free port")
    parser.add_argument("--workspace", help="JSON file with users, channels and the app; a small company if left out")
    parser.add_argument("--db", default=":memory:", help="SQLite file that keeps what was said")
    parser.add_argument("--strict-rate", action="store_true", help="enforce Slack's rate limits")
    given = parser.parse_args(arguments)
    try:
        workspace = Workspace.from_json(given.workspace) if given.workspace else default_workspace()
        with contextlib.suppress(KeyboardInterrupt):
            Simulator(workspace, db=given.db, port=given.port, strict_rate=given.strict_rate).serve()
    except WorkspaceError as problem:
        print(problem, file=sys.stderr)  # noqa: T201
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
