from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import fs

from bot.core.errors import SourceUnavailable
from bot.core.models import Feature, LogColumns, Model
from bot.core.windows import Window
from bot.sources.files import make
from bot.sources.places import Place, place_of, told

NINE = datetime(2026, 3, 1, 9, tzinfo=UTC)
HOUR = Window.ending(NINE, timedelta(hours=1))
MODEL = Model("m", "test", "ml", "log", "", HOUR, (), (Feature("x", "numeric"),), LogColumns())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "logs").mkdir()
    for day in range(2):
        log = pa.table({"time": [NINE - timedelta(minutes=day + 1)], "score": [0.5], "x": [1.0]})
        pq.write_table(log, tmp_path / "logs" / f"{day}.parquet")
    (tmp_path / "logs" / "notes.txt").write_text("not a log")
    return tmp_path


@pytest.mark.parametrize("where", ["logs", "logs/0.parquet"])
def test_an_address_is_read_as_a_path_is(folder, where):
    by_address = make({"path": (folder / where).as_uri()}).reading(MODEL, HOUR)

    assert by_address.rows == make({"path": str(folder / where)}).reading(MODEL, HOUR).rows > 0


def test_any_file_system_of_arrow_will_do(folder):
    bucket = Place("s3://bucket/logs", fs.SubTreeFileSystem(str(folder), fs.LocalFileSystem()), "logs")

    assert bucket.inside((".parquet",)) == ["logs/0.parquet", "logs/1.parquet"]


def test_an_empty_store_has_no_file():
    with pytest.raises(SourceUnavailable, match=r"^There is no file mock://bucket/log\.parquet\.$"):
        Place("mock://bucket/log.parquet", fs.FileSystem.from_uri("mock:///")[0], "bucket/log.parquet").inside((".parquet",))


@pytest.mark.parametrize("address", ["ftp://somewhere/log.parquet", "nonsense://", "s3://", "gs://\x00", "http://[::1/log"])
def test_an_address_that_nobody_can_open_is_one_sentence(address):
    with pytest.raises(SourceUnavailable) as said:
        make({"path": address}).reading(MODEL, HOUR)

    assert "\n" not in str(said.value)


def test_credentials_in_an_address_are_not_repeated():
    with pytest.raises(SourceUnavailable) as said:
        place_of("ftp://ana:hunter2@store/log.parquet?token=hunter3")

    assert "hunter" not in str(said.value)
    assert told("s3://ana:hunter2@bucket/log?secret_key=hunter3") == "s3://bucket/log"


class Down:
    """A store that does not answer."""

    def get_file_info(self, _of: object) -> None:
        raise OSError("AWS Error NETWORK_CONNECTION during HeadObject operation: connection refused\nmore")


def test_a_store_that_is_down_is_one_sentence():
    with pytest.raises(SourceUnavailable, match=r"^s3://bucket/log cannot be read: AWS Error NETWORK_CONNECTION .* refused$"):
        Place("s3://bucket/log", Down(), "bucket/log").inside((".parquet",))
