"""What lies on the desk is found by name, or a sentence says what is there."""

from dataclasses import replace

import pytest

from bot.core.errors import ConfigError, NotFound
from tests.unit.flow.room import DELAYS

STAGING = replace(DELAYS, environment="staging")


class Cron:
    """A platform that serves nobody."""

    name = "cron"


def test_a_model_is_found_by_its_name_or_its_key(room):
    assert room.desk.model("delays") is room.desk.model("delays@production") is DELAYS


def test_a_name_in_two_environments_must_be_said_in_full(room):
    room.lays(models={m.key: m for m in (DELAYS, STAGING)})

    with pytest.raises(NotFound, match="'delays' runs in several environments; write one of delays@production, delays@staging"):
        room.desk.model("delays")
    assert room.desk.model("delays@staging") is STAGING


def test_an_unknown_model_names_the_known_ones(room):
    with pytest.raises(NotFound, match=r"There is no model 'arrivals' here\. Known: delays@production"):
        room.desk.model("arrivals")


def test_without_any_model_it_says_none(room):
    room.lays(models={})

    with pytest.raises(NotFound, match="Known: none"):
        room.desk.model("delays")


def test_a_platform_that_is_no_splitter_cannot_say_what_serves(room):
    room.lays(platforms={"edge": Cron()})

    with pytest.raises(ConfigError, match="'cron' is no traffic splitter, so it cannot say which version serves"):
        room.desk.split(DELAYS)


def test_a_model_without_a_platform_has_no_split(room):
    room.lays(platforms={})

    assert room.desk.split(DELAYS) == {}
