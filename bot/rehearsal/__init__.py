"""Rehearse a playbook: the very code that will carry it out, on stand-ins that write down every call and touch nothing real."""

from bot.rehearsal.rehearse import Rehearsal, Scene, rehearse
from bot.rehearsal.standins import Call

__all__ = ["Call", "Rehearsal", "Scene", "rehearse"]
