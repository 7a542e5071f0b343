"""`aiops estimate`: what people read, what programs parse, and its exit codes."""

import json

import numpy as np
import pandas as pd
import pytest

from bot.cli import main


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A reference, a file like it, and one that is harder; the last without labels."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(1)

    def scored(n, spread=1.4):
        p = 1 / (1 + np.exp(-random.normal(0, spread, n)))
        return pd.DataFrame({"p": p, "y": random.random(n) < p})

    scored(8_000).to_parquet("reference.parquet")
    scored(1_000).to_csv("like.csv", index=False)
    scored(1_000, 0.3).drop(columns="y").to_csv("harder.csv", index=False)
    scored(10).to_csv("few.csv", index=False)
    return tmp_path


@pytest.fixture
def said(capsys):
    """Run `aiops estimate`; return its exit code, stdout and stderr."""

    def run(current: str, *words: str) -> tuple[int, str, str]:
        code = main(["estimate", "reference.parquet", current, "--label", "y", *words])
        out = capsys.readouterr()
        return code, out.out, out.err

    return run


def test_the_json_is_the_one_that_was_promised(files, said):
    code, out, _ = said("like.csv", "--task", "classification", "--score", "p", "--chunk-size", "500", "--json")
    chunk = json.loads(out)["chunks"][0]

    assert code == 0
    assert (chunk["index"], chunk["rows"], chunk["verdict"]) == (0, 500, "healthy")
    assert set(chunk["estimated"]["roc_auc"]) == {"value", "lower", "upper"}
    assert set(chunk["thresholds"]["roc_auc"]) == {"lower", "upper"}
    assert isinstance(chunk["realized"]["roc_auc"], float)


@pytest.mark.parametrize(("current", "code", "word"), [("harder.csv", 1, "critical"), ("few.csv", 3, "not enough data")])
def test_people_read_a_table_and_the_exit_code_says_the_same(files, said, current, code, word):
    found, out, _ = said(current, "--score", "p", "--chunk-size", "1000")

    assert found == code
    assert word in out
    assert "blind to concept drift" in out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--score", "nope"), "has no column 'nope'"),
        (("--score", "p", "--task", "magic"), "There is no task 'magic'"),
        ((), "--score once"),
    ],
)
def test_a_mistake_is_one_sentence(files, said, words, sentence):
    code, out, err = said("like.csv", *words)

    assert (code, out) == (2, "")
    assert sentence in err


def test_several_scores_are_several_classes(files, said):
    frame = pd.read_parquet("reference.parquet")
    frame["q"] = 1 - frame.p
    frame.to_parquet("reference.parquet")

    code, out, _ = said("reference.parquet", "--task", "classification", "--score", "true=p", "--score", "false=q", "--json")

    assert (code, json.loads(out)["task"]) == (0, "multiclass")


def test_numbers_are_shown_with_their_loss(files, said):
    code, out, _ = said("like.csv", "--task", "regression", "--prediction", "p")

    assert code in (0, 1)
    assert "rmse" in out
