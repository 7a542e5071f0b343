"""`keep:` of aiops.yaml."""

import json
from datetime import timedelta

import pytest

from bot.config import load_settings
from bot.core.errors import ConfigError
from bot.core.keeping import Keep


@pytest.fixture
def settings(tmp_path):
    def read(**keep):
        (tmp_path / "aiops.yaml").write_text(json.dumps({"keep": keep}))
        return load_settings(tmp_path / "aiops.yaml")

    return read


def test_who_says_nothing_gets_the_usual_lengths(settings):
    assert settings().keep.keep == Keep()


def test_every_length_can_be_said(settings):
    part = settings(healthy="1d", findings="10d", messages="8d", notes="50d", references="9d").keep

    assert part.keep == Keep(*(timedelta(days=days) for days in (1, 10, 8, 50, 9)))


@pytest.mark.parametrize(
    ("keep", "words"),
    [
        ({"healthy": "100d"}, "at least as long as `healthy`"),
        ({"messages": "1d"}, "keeps messages too short a time; at least 7 d"),
        ({"notes": "30d"}, "keeps notes too short a time; at least 46 d"),
        ({"references": "1h"}, "keeps references too short a time; at least 7 d"),
        ({"healthy": "for ever"}, "20s"),
        ({"looks": 3}, "looks"),
    ],
    ids=["healthy longer", "messages", "notes", "references", "no length", "no such thing"],
)
def test_what_would_forget_what_is_still_read_is_refused(settings, keep, words):
    with pytest.raises(ConfigError, match=words):
        settings(**keep)
