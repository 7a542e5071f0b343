"""The shelf of playbooks: YAML files, read strictly, and their steps filled in with what people chose."""

from bot.shelf.commands import refuse_clash
from bot.shelf.files import Shelf, load, packaged, read
from bot.shelf.filling import expand
from bot.shelf.grammar import schema

__all__ = ["Shelf", "expand", "load", "packaged", "read", "refuse_clash", "schema"]
