"""The renderer: template + data → text and blocks that Slack accepts, or a plain message when the template is broken."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import yaml
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from bot.render.hostile import Plain, escape, safe
from bot.render.limits import MESSAGE_BLOCKS, TEXT, VIEW_BLOCKS, clip, fitting, simple
from bot.render.parts import PARTS, Block, section
from bot.render.words import FILTERS, as_yaml

log = logging.getLogger(__name__)
MOST_REPEATS = 1_000


@dataclass(frozen=True, slots=True)
class Rendered:
    """One message: `text` for notifications and old clients, `blocks`, `simple` (the same without tables), `problem` if any."""

    text: str
    blocks: Sequence[Block]
    simple: Sequence[Block]
    problem: str = ""


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja2 without a way out, and without `'a' * 500000000`, which its own sandbox allows."""

    intercepted_binops = frozenset({"*", "**"})

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Multiply numbers; repeat text only a little; no powers."""
        size = max((abs(x) for x in (left, right) if isinstance(x, (int, float))), default=0)
        if operator == "**" or (not (isinstance(left, (int, float)) and isinstance(right, (int, float))) and size > MOST_REPEATS):
            raise SecurityError("A template may not build text this way.")
        return super().call_binop(context, operator, left, right)


def packaged() -> Path:
    """Return the folder of our own templates: beside the package in a checkout, inside it in a wheel."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "data" / "templates"
    return inside if inside.is_dir() else package.parent / "templates"


class Renderer:
    """Templates come from the user's folder first; a broken one of theirs falls back to ours, a broken one of ours to text."""

    def __init__(self, *folders: Path) -> None:
        """Take the user's folders, most important first; the packaged one comes last by itself."""
        searched = [*folders, packaged()]
        self._rooms = [_sandbox(searched[i:]) for i in range(len(searched))]

    def render(self, template: str, data: Mapping[str, object], *, view: bool = False, mention: str = "") -> Rendered:
        """Return the message or, with `view`, the blocks of a modal or Home tab. Never raises: a person is waiting for news."""
        problem = ""
        for room in self._rooms:
            try:
                return self._rendered(room, template, {**data, "mention": mention}, view=view)
            except (
                jinja2.TemplateError,
                yaml.YAMLError,
                TypeError,
                ValueError,
                KeyError,
                LookupError,
                AttributeError,
                ArithmeticError,
            ) as error:
                problem = problem or f"{type(error).__name__}: {error}"
                log.warning("Template %s cannot be rendered: %s", template, error)
        return _fallback(template, data, problem)

    @staticmethod
    def _rendered(room: Sandbox, template: str, data: Mapping[str, object], *, view: bool) -> Rendered:
        plain = safe(data)
        written = yaml.safe_load(room.get_template(f"{template}.j2").render(plain, data=plain))
        if not isinstance(written, dict) or not isinstance(written.get("blocks", []), list):
            raise TypeError(f"'{template}.j2' must write `text:` and `blocks:`.")
        whole = fitting(written.get("blocks") or [], most=VIEW_BLOCKS if view else MESSAGE_BLOCKS)
        text = clip(str(written.get("text") or template), TEXT)
        plainer = simple(whole)
        return Rendered(text, plainer if view else whole, plainer)


def _sandbox(folders: Sequence[Path]) -> Sandbox:
    room = Sandbox(
        loader=jinja2.FileSystemLoader(folders),
        undefined=jinja2.StrictUndefined,
        finalize=as_yaml,
        autoescape=False,  # the data is escaped for Slack before it comes here; this is no HTML
        trim_blocks=True,
        lstrip_blocks=True,
    )
    room.globals = {**PARTS, "range": room.globals["range"], "namespace": room.globals["namespace"]}
    room.filters.update(FILTERS)
    return room


def _fallback(template: str, data: Mapping[str, object], problem: str) -> Rendered:
    """Return the facts without beauty: what happened must be told even when its template is broken."""
    told: list[Plain] = [data.get(key) for key in ("emoji", "severity", "state", "title", "text", "outcome", "next_step")]
    said = " · ".join(escape(str(part)) for part in told if part) or f"News ({escape(template)})"
    number = f"#{escape(str(data['number']))} " if "number" in data else ""
    text = clip(f"{number}{said}", 2_500)
    note = f"\n_(The template `{escape(template)}` is broken; this is the plain version.)_"
    block = section(text + note)
    return Rendered(text, [block] if block else [], [block] if block else [], problem)
