"""What people should see: one notice is one Slack message, named by a key and always level with the truth.

The flow says "the message with this key shows this"; it never says "post" or "edit". Saying it again with other data edits the same
message, saying it twice changes nothing, and a Slack that was down for hours is caught up with one edit.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Notice:
    """A message: `template` and `data` are rendered when it is sent; `thread` is the key of the notice it answers.

    `mention` names a role or team that must act, told once at the first post. `chart` asks for a picture: `{"kind": …, …}`.
    """

    key: str
    channel: str
    template: str
    data: Mapping[str, object]
    thread: str = ""
    mention: str = ""
    chart: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Posted:
    """A notice as it was said last, and how far that is on its way to Slack: "waiting", "sent" or "failed", and then why."""

    notice: Notice
    state: str
    error: str = ""
