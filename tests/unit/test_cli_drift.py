"""`aiops drift`: what people read, what programs parse, what is written as a page."""

import json

import numpy as np
import pandas as pd
import pytest

from bot.cli import main

RNG = np.random.default_rng(3)


def frame(rows=2_000, shift=0.0):
    return pd.DataFrame({"x": RNG.normal(shift, 1, rows), "y": RNG.normal(size=rows), "c": RNG.choice(["a", "b"], rows)})


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A reference, the same again, and one in which `x` has moved."""
    monkeypatch.chdir(tmp_path)
    frame().to_parquet("before.parquet")
    frame().to_parquet("same.parquet")
    frame(shift=1.0).to_csv("moved.csv", index=False)
    return tmp_path


@pytest.fixture
def said(files, capsys):
    def run(*arguments):
        code = main(["drift", *arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.mark.parametrize(("current", "code"), [("same.parquet", 0), ("moved.csv", 1), ("gone.csv", 2), ("few.parquet", 3)])
def test_the_exit_code_says_whether_anything_moved(files, said, current, code):
    frame(3).to_parquet("few.parquet")

    assert said("before.parquet", current)[0] == code


def test_the_first_line_says_what_moved_most_and_how_sure_that_is(said):
    first = said("before.parquet", "moved.csv")[1].splitlines()[0]

    assert first == "x moved most: PSI 0.949, 3.8 times the line of 0.25; chance does that less than once in a billion."


def test_the_first_line_says_that_nothing_moved(said):
    assert said("before.parquet", "same.parquet")[1].splitlines()[0] == "Nothing moved: 3 of 3 columns are as the reference."


def test_the_worst_comes_first_with_its_line(said):
    rows = said("before.parquet", "moved.csv", "--checks", "ks")[1].splitlines()[3:]

    assert rows[0].split()[:4] == ["critical", "KS", "·", "x"]
    assert "line 0.2; p < 1e-9" in rows[0]
    assert rows[1].split()[:4] == ["healthy", "KS", "·", "y"]


def test_checks_are_repeated_or_separated_by_commas(said):
    one, other = (json.loads(said("before.parquet", "same.parquet", "--json", *how)[1]) for how in (
        ("--checks", "ks,chi2"), ("--checks", "ks", "--checks", "chi2"),
    ))  # fmt: skip

    assert one == other
    assert [[m["check"] for m in f["measurements"]] for f in one["features"]] == [["ks"], ["ks"], ["chi2"]]


def test_an_unknown_check_is_one_sentence(said):
    code, out, err = said("before.parquet", "same.parquet", "--checks", "ks,nonsense")

    assert (code, out) == (2, "")
    assert "There is no check 'nonsense'; there are: ks, wasserstein, wasserstein_normed, jensen_shannon," in err


def test_everything_is_measured_with_all(said):
    told = json.loads(said("before.parquet", "moved.csv", "--all", "--exact", "--json")[1])

    assert {f["feature"]: len(f["measurements"]) for f in told["features"]} == {"x": 8, "y": 8, "c": 7}


def test_the_json_has_the_shape_that_programs_rely_on(said):
    told = json.loads(said("before.parquet", "moved.csv", "--json")[1])
    x = told["features"][0]

    assert (told["reference"], told["current"]) == ({"rows": 2_000}, {"rows": 2_000})
    assert (x["feature"], x["kind"], x["missing"]) == ("x", "numeric", {"reference": 0.0, "current": 0.0})
    assert {"check", "value", "p_value", "threshold", "verdict"} <= set(x["measurements"][0])
    assert {(f["check"], f["feature"], f["verdict"]) for f in told["findings"]} == {
        ("ks", "x", "critical"),
        ("psi", "x", "critical"),
    }


def test_a_page_is_written_beside_the_table(files, said):
    code, out, _ = said("before.parquet", "moved.csv", "--html", "page.html")
    page = (files / "page.html").read_text(encoding="utf-8")

    assert code == 1
    assert "The page is in page.html." in out
    assert "x moved most" in page
    assert page.rstrip().endswith("</html>")


def test_a_page_goes_to_standard_output_and_nothing_else_with_it(said):
    out = said("before.parquet", "moved.csv", "--html", "-")[1]

    assert out.lstrip().startswith("<!doctype html>")
    assert out.rstrip().endswith("</html>")


def test_a_page_and_json_cannot_share_standard_output(said):
    code, out, err = said("before.parquet", "moved.csv", "--html", "-", "--json")

    assert (code, out) == (2, "")
    assert "give --html a file" in err


def test_a_page_that_cannot_be_written_is_one_sentence(said):
    code, _, err = said("before.parquet", "moved.csv", "--html", "no/such/folder/page.html")

    assert code == 2
    assert "no/such/folder/page.html" in err


def test_times_are_said_to_be_left_out(files, said):
    at = pd.date_range("2026-01-01", periods=2_000, freq="h")
    frame().assign(at=at).to_parquet("timed.parquet")

    assert said("timed.parquet", "timed.parquet")[1].splitlines()[-1] == "Left out: at (a time)"


def test_files_without_a_common_column_are_unknown_or_broken(files, said):
    pd.DataFrame({"other": [1.0]}).to_parquet("other.parquet")
    pd.DataFrame().to_parquet("nothing.parquet")

    assert said("before.parquet", "other.parquet")[0] == 1
    code, out, _ = said("nothing.parquet", "nothing.parquet")
    assert code == 3
    assert "no column in common" in out
