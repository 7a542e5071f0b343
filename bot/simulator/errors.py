"""What may go wrong: an error that Slack would return, or a workspace that cannot be built.

SlackError       the app's call is refused; the app reads `{"ok": false, "error": code}`
WorkspaceError   the person who wrote the workspace or started the simulator has to mend something
"""

from __future__ import annotations

from typing import Any


class SlackError(Exception):
    """A refusal in Slack's own words; `body` holds what Slack adds next to the code."""

    def __init__(self, code: str, *, status: int = 200, retry_after_s: int | None = None, **body: Any) -> None:
        super().__init__(code)
        self.code = code
        self.status = status
        self.retry_after_s = retry_after_s
        self.body = body


class WorkspaceError(ValueError):
    """The workspace description, or a call on the simulator, is wrong; the sentence says what to change."""
