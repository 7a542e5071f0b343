"""Playbooks: `aiops playbook lint`, `show`, `test` and `schema`. Nothing here needs Slack, a database or a server."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli import paper, playbook_words
from bot.cli.front import ACT, Json, shell
from bot.config import Settings, load_settings
from bot.core.errors import ActionFailed, AiopsError, ConfigError, NotFound
from bot.core.models import Feature, Model, Split, servable
from bot.core.playbooks import Playbook
from bot.core.words import duration
from bot.flow.cards import beside
from bot.policies import policies_of

if TYPE_CHECKING:
    from bot.app import Registries
    from bot.core.actions import Platform
    from bot.rehearsal import Call, Rehearsal

group = typer.Typer(no_args_is_help=True, help="Check, read or rehearse a playbook; nothing real is touched.")

EXAMPLE = "example"
VERSIONS: Split = {"v1": 0.0, "v2": 0.0, "v3": 1.0}


def register(app: typer.Typer) -> None:
    """Add the group to the shell."""
    app.add_typer(group, name="playbook", rich_help_panel=ACT)


@group.command()
def schema() -> None:
    """Print the JSON Schema of a playbook file, for editors."""
    from bot import shelf  # noqa: PLC0415

    paper.dump({"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "A playbook of aiops-bot", **shelf.schema()})


@group.command()
def lint(context: typer.Context, files: Annotated[list[Path] | None, typer.Argument()] = None, *, as_json: Json = False) -> None:
    """Say what is wrong or unwise in playbook files; without files, in all that there are.

    Exit 0 when nothing is wrong, 1 when something is.
    """
    from bot.app import registries  # noqa: PLC0415
    from bot.doctor.papers import shelf  # noqa: PLC0415
    from bot.doctor.playbooks import unwise  # noqa: PLC0415
    from bot.shelf import refuse_clash  # noqa: PLC0415

    found = registries()
    settings = _settings(context)
    models = list(settings.models_with(found.checks).values()) if settings else []
    told: list[dict[str, object]] = []
    others = dict(shelf(shell(context).config).playbooks)
    for path in files or _files(context):
        try:
            playbook = _load(path, found)
            refuse_clash(path, playbook, list(others.values()))
        except AiopsError as reason:
            told.append({"file": str(path), "wrong": str(reason), "unwise": []})
        else:
            others[playbook.name] = playbook
            allowed = settings is None or bool(policies_of(settings.approvals, playbook))
            told.append({"file": str(path), "wrong": "", "unwise": list(unwise(playbook, models, allowed=allowed))})
    if as_json:
        paper.dump({"playbooks": told})
    else:
        for one in told:
            _say_linted(one)
    raise typer.Exit(1 if any(one["wrong"] for one in told) else 0)


def _say_linted(one: Mapping[str, object]) -> None:
    if one["wrong"]:
        paper.remark("problem", str(one["wrong"]))
    for remark in one["unwise"]:  # type: ignore[attr-defined]
        paper.remark("hint", f"{one['file']}: {remark}")
    if not one["wrong"] and not one["unwise"]:
        paper.remark("ok", str(one["file"]))


@group.command()
def show(context: typer.Context, name: str, *, as_json: Json = False) -> None:
    """Say what a playbook (a name, or a file) does, in which steps, and what must be seen before it counts as mended."""
    from bot.app import registries  # noqa: PLC0415

    playbook = _playbook(context, name, registries())
    settings = _settings(context)
    facts = playbook_words.facts(playbook, policies_of(settings.approvals, playbook) if settings else [])
    if as_json:
        paper.dump({**facts, "parameters": [asdict(p) for p in playbook.parameters], "steps": [asdict(s) for s in playbook.steps]})
        return
    paper.facts(facts)
    asked = ("parameter", "kind", "default", "asked as")
    paper.table(asked, playbook_words.parameters(playbook), title="Parameters", empty="Nothing is asked.")
    paper.table(("step", "action", "on", "only", "with"), playbook_words.steps(playbook), title="Steps")


@group.command("test")
def rehearsed(
    context: typer.Context,
    name: str,
    *,
    model: Annotated[str, typer.Option(help="A model of aiops.yaml; without one, a model that never was.")] = "",
    given: Annotated[list[str] | None, typer.Option("--set", help="A parameter: name=value.")] = None,
    split: Annotated[list[str] | None, typer.Option("--split", help="What is served at first: version=share.")] = None,
    fail: Annotated[str, typer.Option(help="Let this step fail, to see the way back.")] = "",
    as_json: Json = False,
) -> None:
    """Rehearse a playbook (a name, or a file) on stand-ins: every call that it would make, in order, with its key.

    Exit 0 when it came to its end, or went back where a step was to fail; 1 when it did not.
    """
    from bot.app import registries  # noqa: PLC0415
    from bot.rehearsal import Scene, rehearse  # noqa: PLC0415

    found = registries()
    playbook = _playbook(context, name, found)
    about, real = _stage(context, model, playbook, found)
    served = _shares(split) if split else _served(_settings(context), about) or VERSIONS
    seen = rehearse(Scene(playbook, about, served, found.actions, found.checks, real, _pairs(given, "--set"), fail))
    if as_json:
        paper.dump({"playbook": playbook.name, "model": about.key, **asdict(seen)})
    else:
        _say_rehearsed(playbook, about, seen)
    raise typer.Exit(0 if seen.state == ("compensated" if fail else "succeeded") else 1)


def _say_rehearsed(playbook: Playbook, model: Model, seen: "Rehearsal") -> None:
    paper.say(f"'{playbook.name}' on {model.key}, rehearsed: stand-ins answered, nothing real was asked or changed.", "bold")
    chosen = ", ".join(f"{name} = {value}" for name, value in seen.chosen.items())
    took = duration(timedelta(seconds=seen.seconds)) if seen.seconds else ""
    then = f"fresh data decide, which is not rehearsed: {playbook_words.verifies(playbook)}" if playbook.verification.checks else ""
    ended = f"{seen.state}: {seen.outcome}"
    paper.facts({"chosen": chosen, "touches": seen.blast, "ended": ended, "takes about": took, "then": then})
    for number, change in enumerate(seen.changes):
        before = seen.changes[number - 1] if number else None
        paper.say(f"{number + 1:>3}. {change.step}: {beside(change, before)}{change.words}")
    rows = [row for _, calls in groupby(seen.calls, key=lambda call: call.step) for row in _call_rows(list(calls))]
    paper.table(("step", "platform", "key", "call"), rows, title="Calls", empty="It asks nothing of anybody.")


def _call_rows(calls: "list[Call]") -> list[tuple[str, str, str, str]]:
    return [(call.step, call.platform, call.key, f"{call.words} ×{call.times}" if call.times > 1 else call.words) for call in calls]


def _pairs(given: list[str] | None, option: str) -> dict[str, str]:
    pairs = {}
    for text in given or []:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise ConfigError(f"{option} takes name=value, not '{text[:60]}'.")
        pairs[name.strip()] = value.strip()
    return pairs


def _shares(given: list[str] | None) -> Split:
    try:
        return servable(EXAMPLE, {version: float(share) for version, share in _pairs(given, "--split").items()}, _pairs(given, ""))
    except (ValueError, ActionFailed):
        raise ConfigError(
            "--split needs a share from 0 to 1 for each version, and they add up to 1: --split v1=0.2 --split v2=0.8"
        ) from None


def _stage(context: typer.Context, name: str, playbook: Playbook, found: "Registries") -> "tuple[Model, dict[str, Platform]]":
    """Return the model that is played, and the real platforms whose orders can be checked without asking anybody."""
    settings = _settings(context)
    if not name:
        return _example(playbook), {}
    if settings is None:
        raise ConfigError(
            f"There is no {shell(context).config} that could know '{name}'; leave --model out, or name the file with -c."
        )
    models = [m for m in settings.models_with(found.checks).values() if name in (m.key, m.name)]
    if len(models) != 1:
        known = ", ".join(sorted(m.key for m in settings.models_with(found.checks).values())) or "none"
        raise NotFound(f"'{name}' is not one model of {shell(context).config}; its models: {known}.")
    if lost := [part for part in playbook.parts if not models[0].platform(part)]:
        raise ConfigError(
            f"'{models[0].key}' names nothing that plays its {lost[0]}, so '{playbook.name}' is never offered for it."
        )
    return models[0], _platforms(settings, found)


def _platforms(settings: Settings, found: "Registries") -> "dict[str, Platform]":
    """Make what can be made: a platform whose secret is not here is only stood in for."""
    made: dict[str, Platform] = {}
    for name, plug in settings.platforms.items():
        try:
            made[name] = found.connectors[plug.kind].make(plug.options)
        except (AiopsError, KeyError):
            continue
    return made


def _served(settings: Settings | None, model: Model) -> Split:
    """Return the versions that the configuration names for a model, as if the last one served everything."""
    plug = settings.platforms.get(model.serving) if settings else None
    targets = (plug.model_extra or {}).get("targets") if plug else None
    versions = targets.get(model.name) if isinstance(targets, Mapping) else None
    names = [str(version) for version in versions] if isinstance(versions, Mapping) else []
    return {version: float(version == names[-1]) for version in names} if len(names) > 1 else {}


def _example(playbook: Playbook) -> Model:
    """Return a model that never was, with everything that the playbook needs."""
    from datetime import UTC, datetime  # noqa: PLC0415

    from bot.core.windows import Window  # noqa: PLC0415

    end = datetime(2026, 1, 1, tzinfo=UTC)
    return Model(
        name=EXAMPLE,
        environment=min(playbook.environments, default="production"),
        tier=min(playbook.tiers, default="standard"),
        team="ml",
        source="log",
        serving="splitter",
        reference=Window(end - timedelta(days=30), end - timedelta(days=1)),
        watches=(),
        features=(Feature("amount", "numeric", 1.0),),
        connectors={part: part for part in playbook.parts if part != "serving"},
    )


def _settings(context: typer.Context) -> Settings | None:
    """Return the configuration, where there is one."""
    path = shell(context).config
    return load_settings(path) if path.exists() else None


def _files(context: typer.Context) -> list[Path]:
    """Return the files beside the configuration, else those that came with the bot."""
    from bot import shelf  # noqa: PLC0415

    own = shell(context).config.absolute().parent / "playbooks"
    folder = own if own.is_dir() else shelf.packaged()
    return sorted((*folder.glob("*.yaml"), *folder.glob("*.yml")))


def _load(path: Path, found: "Registries") -> Playbook:
    from bot import shelf  # noqa: PLC0415

    return shelf.load(path, actions=list(found.actions))


def _playbook(context: typer.Context, name: str, found: "Registries") -> Playbook:
    """Return the playbook of a file or of a name."""
    from bot.doctor.papers import shelf  # noqa: PLC0415

    if name.endswith((".yaml", ".yml")):
        return _load(Path(name), found)
    known = shelf(shell(context).config)
    if name not in known.playbooks:
        why = next((f" {sentence}" for sentence in known.wrong if f"{name}.y" in sentence), "")
        raise NotFound(f"There is no playbook '{name}' on the shelf; there are: {', '.join(known.playbooks)}.{why}")
    return known.playbooks[name]
