"""A strict Slack on loopback: Web API, Socket Mode, signed HTTP, a page to click, and a driver for tests.

The simulator stands in for Slack in the demo, in development and in tests. It knows nothing of the rest of `bot`
and refuses what Slack refuses, because a lenient stand-in hides exactly the errors that hurt in production.

    with Simulator() as slack:                     # default workspace, state in memory
        app = App(token=slack.app.bot_token, client=WebClient(slack.app.bot_token, base_url=slack.api_url))
        ana = Person(slack, "ana")
        ana.says("/aiops status", channel="ops")
        ana.sees("all models healthy")
"""

from bot.simulator.errors import SlackError, WorkspaceError
from bot.simulator.faults import Fault
from bot.simulator.people import Person
from bot.simulator.server import Simulator
from bot.simulator.workspace import (
    Channel,
    Command,
    Shortcut,
    SlackApp,
    User,
    UserGroup,
    Workspace,
    default_workspace,
)

__all__ = [
    "Channel",
    "Command",
    "Fault",
    "Person",
    "Shortcut",
    "Simulator",
    "SlackApp",
    "SlackError",
    "User",
    "UserGroup",
    "Workspace",
    "WorkspaceError",
    "default_workspace",
]
