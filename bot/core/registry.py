"""Plug-ins: a check, action, source, connector or command is one new file and its test, and no other edit.

A file makes values (`@check`, `SourceKind(…)`), `discover` collects them. Third parties add theirs through entry points of the
group `aiops_bot.plugins`, each naming a module.
"""

import importlib
import pkgutil
from collections.abc import Iterator
from importlib.metadata import entry_points
from types import ModuleType
from typing import Protocol, TypeVar

from bot.core.errors import ConfigError

GROUP = "aiops_bot.plugins"


class Named(Protocol):
    """Anything with a name."""

    @property
    def name(self) -> str:
        """What the configuration and people call it."""
        ...


T = TypeVar("T", bound=Named)


def discover(package: ModuleType, kind: type[T]) -> dict[str, T]:
    """Return every value of this type that a module of the package, or an installed plug-in, has made; by name, sorted.

    Raises:
        ConfigError: two modules made a value of the same name.
    """
    found: dict[str, tuple[T, str]] = {}
    for module in (*_modules(package), *_plugins()):
        for value in vars(module).values():
            if not isinstance(value, kind):
                continue
            earlier = found.setdefault(value.name, (value, module.__name__))
            if earlier[0] is not value:
                raise ConfigError(
                    f"{kind.__name__} '{value.name}' is made twice, in {earlier[1]} and {module.__name__}; rename one."
                )
    return {name: found[name][0] for name in sorted(found)}


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    for info in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        yield importlib.import_module(info.name)


def _plugins() -> Iterator[ModuleType]:
    for entry in entry_points(group=GROUP):
        module = entry.load()
        if isinstance(module, ModuleType):
            yield module
