"""Files become playbooks, and folders of them a shelf.

Files are looked up in the user's folder first and then in the packaged copy; a file of the user's with a playbook's name takes its
place. A broken file takes only itself off the shelf: `read` says what is wrong with it and keeps the others.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from bot.core.actions import Verification
from bot.core.errors import ConfigError
from bot.core.playbooks import Playbook, Step
from bot.shelf.commands import without_clashes
from bot.shelf.expressions import names, texts
from bot.shelf.grammar import MODEL, ParallelPart, PlaybookFile, StepPart, VerificationPart
from bot.validation import validated
from bot.yaml import Document, Path_, load_file

BOT = Path(__file__).parents[1]
PACKAGED = (BOT / "data" / "playbooks", BOT.parent / "playbooks")
"""In a wheel, and in a checkout."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """What could be read, by name; and one sentence for each file that could not."""

    playbooks: Mapping[str, Playbook] = field(default_factory=dict)
    wrong: tuple[str, ...] = ()


def read(folder: Path | None = None, *, actions: Collection[str] | None = None) -> Shelf:
    """Return the playbooks of the user's folder and the packaged ones; with `actions`, steps may use these only."""
    found: dict[str, tuple[Path, Playbook]] = {}
    wrong: list[str] = []
    broken: set[str] = set()
    for here in (packaged(), *([folder] if folder else [])):
        mine: dict[str, tuple[Path, Playbook]] = {}
        broken = set()
        for path in sorted((*here.glob("*.yaml"), *here.glob("*.yml"))):
            try:
                _put(mine, load(path, actions=actions), path)
            except ConfigError as error:
                wrong.append(str(error))
                broken.add(path.stem)
        found |= mine
    # a broken file of the user's does not bring back the packaged playbook that it was meant to replace
    kept, clashing = without_clashes(pair for name, pair in found.items() if name not in broken - set(mine))
    return Shelf({name: kept[name] for name in sorted(kept)}, (*wrong, *clashing))


def _put(shelf: dict[str, tuple[Path, Playbook]], playbook: Playbook, path: Path) -> None:
    if playbook.name in shelf:
        raise ConfigError(f"{path}: the playbook '{playbook.name}' is defined by another file of this folder, too; rename one.")
    shelf[playbook.name] = path, playbook


def packaged() -> Path:
    """Return the folder of the playbooks that came with the bot."""
    return next((folder for folder in PACKAGED if folder.is_dir()), PACKAGED[0])


def load(path: Path, *, actions: Collection[str] | None = None) -> Playbook:
    """Return the playbook in this file.

    Raises:
        ConfigError: it is not one; the sentence names file and line.
    """
    document = load_file(path)
    part = validated(document, PlaybookFile)
    for place, step in _acts(part):
        if actions is not None and step.action not in actions:
            known = ", ".join(sorted(actions)) or "none"
            raise document.wrong((*place, "action"), f"there is no action '{step.action}'; known: {known}.")
        _check_expressions(document, part, place, step)
    for number, held in enumerate(part.steps):
        _check_texts(document, part, held.gate, ("steps", number, "gate"))
    return _playbook(part, document)


def _playbook(part: PlaybookFile, document: Document) -> Playbook:
    return Playbook(
        name=part.name,
        title=part.title,
        summary=part.summary,
        families=frozenset(part.offered.families),
        severities=frozenset(part.offered.severities),
        parameters=tuple(parameter.noun() for parameter in part.parameters),
        steps=tuple(_step(act, held) for held in part.steps for act in held.acts),
        verification=_verification(part.verification),
        risk=part.risk,
        content=document.data,
        owner=part.owner,
        tiers=frozenset(part.offered.tiers or ()),
        environments=frozenset(part.offered.environments or ()),
        cooldown=part.cooldown or timedelta(0),
        max_attempts=part.max_attempts or 0,
        command=part.command or "",
        lock="" if part.lock == MODEL else part.lock,
    )


def _acts(part: PlaybookFile) -> Iterator[tuple[Path_, StepPart | ParallelPart]]:
    """Yield every step that acts, with its place in the file."""
    for number, held in enumerate(part.steps):
        for inner, act in enumerate(held.acts):
            yield (("steps", number, "parallel", inner) if held.parallel else ("steps", number)), act


def _step(part: StepPart | ParallelPart, held: StepPart) -> Step:
    """Return a step; `held` is the parallel one that holds it, else the same."""
    return Step(
        name=part.name,
        action=part.action or "",
        parameters=part.parameters,
        hold_s=part.hold.total_seconds() if part.hold else 0.0,
        within=part.within,
        on=part.on,
        when=part.when,
        patience_s=part.timeout.total_seconds(),
        optional=part.optional,
        gate=held.gate,
        gate_s=held.gate_timeout.total_seconds() if held.gate else 0.0,
        retries=part.retries.times if part.retries else 0,
        pause_s=part.retries.pause.total_seconds() if part.retries else 0.0,
        together=held.name if held.parallel else "",
        again=part.back is not None,
    )


def _verification(part: VerificationPart | None) -> Verification:
    if part is None:
        return Verification()
    checks = (part.checks,) if isinstance(part.checks, str) else part.checks
    return Verification(checks, part.least_rows, part.within.total_seconds())


def _check_expressions(document: Document, part: PlaybookFile, place: Path_, step: StepPart | ParallelPart) -> None:
    for inside in ("parameters", "when"):
        _check_texts(document, part, getattr(step, inside), (*place, inside))


def _check_texts(document: Document, part: PlaybookFile, value: object, place: Path_) -> None:
    known = {parameter.name for parameter in part.parameters}
    for path, text in texts(value, place):
        try:
            used = list(names(text))
        except ValueError as reason:
            raise document.wrong(path, f"{reason}.") from None
        for name in used:
            if name not in known:
                raise document.wrong(path, f"the expression uses '{name}', which is no parameter of this playbook.")
