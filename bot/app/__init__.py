"""The front door: the only room that knows every other one.

`house` finds the plug-ins and lays the desk; `serving` lets the house live until it is told to stop. Nothing is decided here.
"""

from bot.app.house import House, Registries, manifest, open_house, open_record, registries
from bot.app.serving import Rhythm, credentials, living, serve

__all__ = ["House", "Registries", "Rhythm", "credentials", "living", "manifest", "open_house", "open_record", "registries", "serve"]
