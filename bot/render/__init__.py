"""Render: facts for people become Slack blocks, through templates that users may replace.

A template is sandboxed Jinja2 that writes YAML: `text:` (the fallback, what a phone shows) and `blocks:`. Every `{{ … }}` is
written as JSON by itself, and every text in the data is escaped before the template sees it; an author can forget neither.
"""

from bot.render.hostile import escape
from bot.render.renderer import Renderer, packaged

__all__ = ["Renderer", "escape", "packaged"]
