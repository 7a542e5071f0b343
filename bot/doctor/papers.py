"""The papers: aiops.yaml and the playbooks, checked without calling anybody and without any secret."""

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path

from bot import shelf as shelves
from bot.app import registries
from bot.config import Plug, Settings, load_settings
from bot.core.errors import AiopsError, ConfigError
from bot.core.ports import ConnectorKind, SourceKind
from bot.validation import problems as wrong
from bot.yaml import load_file

Kinds = Mapping[str, SourceKind] | Mapping[str, ConnectorKind]


def shelf(config: Path) -> shelves.Shelf:
    """Return the playbooks: those beside the configuration, then those that came with the bot."""
    folder = config.absolute().parent / "playbooks"
    return shelves.read(folder if folder.is_dir() else None, actions=list(registries().actions))


def problems(config: Path) -> list[str]:
    """Return everything that is wrong with the configuration and the playbooks, one sentence each."""
    if not config.exists():
        raise ConfigError(f"There is no {config}. Write one with: aiops init")
    found = wrong(load_file(config), Settings)
    return [*(found or _inside(config)), *shelf(config).wrong]


def _inside(config: Path) -> Iterator[str]:
    """Yield what is wrong with a file whose every part is well by itself."""
    try:
        settings = load_settings(config)
        known = registries()
        settings.models_with(known.checks)
    except AiopsError as reason:
        yield str(reason)
        return
    for plugs, kinds in (
        (settings.sources, known.sources),
        (settings.platforms, known.connectors),
        (settings.scorers, known.connectors),
    ):
        for name, plug in plugs.items():
            yield from _plug(name, plug, kinds)


def _plug(name: str, plug: Plug, kinds: Kinds) -> Iterator[str]:
    kind = kinds.get(plug.kind)
    if kind is None:
        yield f"'{name}' is of the kind '{plug.kind}', which does not exist; there are: {', '.join(kinds) or 'none'}."
        return
    for option in plug.model_extra or {}:
        if kind.options and option not in kind.options:
            near = difflib.get_close_matches(option, kind.options, 1)
            meant = f"perhaps '{near[0]}' is meant" if near else f"there are: {', '.join(kind.options)}"
            yield f"'{name}': a {plug.kind} has no option '{option}'; {meant}."
