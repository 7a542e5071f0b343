"""The tables of our pages, made from the registries. `python -m tests.house.tables` writes them where their marks stand."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from bot import shelf
from bot.app import registries
from bot.core.checks import Check, Threshold
from tests.faults.failures import ABSENT, FAILURES
from tests.house import failures as shown
from tests.house.house import tracked


def table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; what would break a cell is escaped."""
    rows = [headers, ["---"] * len(headers), *rows]
    return "\n".join(f"| {' | '.join(map(cell, row))} |" for row in rows)


def cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def checks() -> str:
    found = registries().checks.values()
    rows = (
        (f"`{c.name}`", c.family.words, c.summary, lines(c.threshold), own(c))
        for c in sorted(found, key=lambda c: (c.family.precedence, c.name))
    )
    return table(("check", "family", "what it measures", "warns, is critical at", "by subject"), rows)


def lines(threshold: Threshold) -> str:
    return ", ".join(words for level in ("warning", "critical") if (words := threshold.words(level))) or "–"


def own(check: Check) -> str:
    return "; ".join(f"{subject} {lines(line)}" for subject, line in sorted(check.thresholds.items()))


def actions() -> str:
    rows = ((f"`{name}`", (type(action).__doc__ or "").strip().partition("\n")[0]) for name, action in registries().actions.items())
    return table(("action", "what it does"), rows)


def kinds(found: Mapping[str, object]) -> Iterable[Sequence[str]]:
    for name, kind in found.items():
        options = "; ".join(f"`{option}`: {words}" for option, words in kind.options.items())  # type: ignore[attr-defined]
        yield f"`{name}`", kind.summary, options  # type: ignore[attr-defined]


def sources() -> str:
    return table(("kind", "what it reads", "options"), kinds(registries().sources))


def connectors() -> str:
    return table(("kind", "what it is", "options"), kinds(registries().connectors))


def commands() -> str:
    rows = ((f"`/aiops {c.name}{' ' + c.usage if c.usage else ''}`", c.summary) for c in registries().commands.values())
    return table(("command", "what it answers"), rows)


def playbooks() -> str:
    found = shelf.read(actions=registries().actions).playbooks.values()
    rows = ((f"`{p.name}`", ", ".join(sorted(f.words for f in p.families)), p.risk, p.summary) for p in found)
    return table(("playbook", "mends", "risk", "what it does"), rows)


def failures() -> str:
    rows = ((words, ", ".join(f"`{file}`" for file in _files(failure)), _databases(failure)) for failure, words in FAILURES.items())
    return f"{table(('what happens', 'shown by', 'on'), rows)}\n\nNot shown, and not promised: {'; '.join(ABSENT)}."


def _files(failure: str) -> list[str]:
    return list(dict.fromkeys(str(showing.file) for showing in shown.of(failure)))


def _databases(failure: str) -> str:
    return ", ".join(sorted({database for showing in shown.of(failure) for database in showing.databases}, reverse=True))


TABLES: Mapping[str, Callable[[], str]] = {
    "checks": checks,
    "actions": actions,
    "sources": sources,
    "connectors": connectors,
    "commands": commands,
    "playbooks": playbooks,
    "failures": failures,
}


def pages() -> list[Path]:
    """Return the files that people read."""
    return [path for path in tracked() if path.suffix == ".md"]


def page_of(name: str) -> Path:
    """Return the page on which the marks of a table stand."""
    return next(page for page in pages() if marked(name).search(page.read_text(encoding="utf-8")))


def marked(name: str) -> re.Pattern[str]:
    """Return what finds a table between its marks."""
    return re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)


def refreshed(text: str) -> str:
    """Return the text with every marked table made anew."""
    for name, made in TABLES.items():
        fresh = made()
        text = marked(name).sub(lambda found, fresh=fresh: f"{found[1]}{fresh}\n{found[2]}", text)
    return text


if __name__ == "__main__":
    for page in pages():
        page.write_text(refreshed(page.read_text(encoding="utf-8")), encoding="utf-8")
