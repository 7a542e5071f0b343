"""Two files: SciPy and hand are the oracles of every measure, then what is said of columns that are broken, odd or empty."""

import itertools
from collections import Counter
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import jensenshannon

from bot.core.errors import ConfigError, SourceUnavailable
from bot.sources.compare import compare_tables
from bot.sources.compare.measures import BOTH, MEASURES, chosen
from tests.unit.sources.two_tables import compared, measured

RNG = np.random.default_rng(20)
NUMERIC = {"ks", "wasserstein", "wasserstein_normed", "jensen_shannon", "hellinger", "psi", "total_variation", "l_infinity"}
CATEGORICAL = {"chi2", "cramers_v", "jensen_shannon", "hellinger", "psi", "total_variation", "l_infinity"}


def open_deciles(values):
    edges = np.unique(np.quantile(values, np.linspace(0, 1, 11)))
    return [-np.inf, *edges[1:-1], np.inf]


def counts(values, edges):
    return np.array([np.sum((values > low) & (values <= high)) for low, high in itertools.pairwise(edges)])


def psi_of(p, q):
    p, q = ((side + 0.5) / (side + 0.5).sum() for side in (p, q))
    return float(((q - p) * np.log(q / p)).sum())


def binned_by_hand(then, now):
    p, q = then / then.sum(), now / now.sum()
    return {
        "psi": psi_of(then, now),
        "jensen_shannon": jensenshannon(p, q, base=2),
        "hellinger": np.sqrt(((np.sqrt(p) - np.sqrt(q)) ** 2).sum() / 2),
        "total_variation": np.abs(p - q).sum() / 2,
        "l_infinity": np.abs(p - q).max(),
    }


def columns(kind, n, moved):
    """Return a column of numbers as they are met in practice."""
    values = RNG.normal(0.2 * moved, 1 + 0.1 * moved, n)
    return {
        "normal": lambda: values,
        "ties": lambda: np.maximum(values.round(1), 0),
        "zeros": lambda: np.where(RNG.random(n) < 0.7, 0.0, np.abs(values)),
        "nearly constant": lambda: (RNG.random(n) < 1e-3).astype(float),
        "constant": lambda: np.full(n, 3.0),
        "heavy": lambda: RNG.standard_cauchy(n),
        "outlier": lambda: np.append(values[1:], 1e6),
        "counts": lambda: RNG.poisson(2 + 0.2 * moved, n).astype(float),
    }[kind]()


@pytest.mark.parametrize("kind", ["normal", "ties", "zeros", "nearly constant", "constant", "heavy", "outlier", "counts"])
@pytest.mark.parametrize("large", [0, 2_000_000], ids=["streamed", "whole"])
def test_every_measure_of_numbers_agrees_with_scipy_and_hand(kind, large):
    then, now = columns(kind, 4_000, moved=False), columns(kind, 3_000, moved=True)
    told = compared({"x": then}, {"x": now}, every=True, exact=True, large=large)
    ks, w1 = stats.ks_2samp(then, now, method="asymp"), stats.wasserstein_distance(then, now)
    edges = open_deciles(then)
    by_hand = binned_by_hand(counts(then, edges), counts(now, edges)) | {"ks": ks.statistic, "wasserstein": w1}
    by_hand |= {"wasserstein_normed": w1 / then.std()} if kind != "constant" else {"wasserstein_normed": 0.0}

    assert {m["check"] for m in told["features"][0]["measurements"]} == NUMERIC
    assert {name: measured(told, "x", name)["value"] for name in by_hand} == pytest.approx(by_hand, rel=1e-9, abs=1e-9)
    assert measured(told, "x", "ks")["p_value"] == pytest.approx(ks.pvalue, rel=1e-9)


def test_every_measure_of_categories_agrees_with_scipy_and_hand():
    then, now = RNG.choice(list("abcd"), 4_000), RNG.choice(list("bcde"), 900, p=[0.1, 0.2, 0.3, 0.4])
    told = compared({"c": then}, {"c": now}, every=True)
    table = np.array([[Counter(side)[level] for level in "abcde"] for side in (then.tolist(), now.tolist())])
    oracle = stats.chi2_contingency(table, correction=False)
    by_hand = binned_by_hand(*table) | {"chi2": oracle.statistic, "cramers_v": np.sqrt(oracle.statistic / table.sum())}

    assert {m["check"] for m in told["features"][0]["measurements"]} == CATEGORICAL
    assert {name: measured(told, "c", name)["value"] for name in by_hand} == pytest.approx(by_hand, rel=1e-9, abs=1e-9)
    assert measured(told, "c", "chi2")["p_value"] == measured(told, "c", "cramers_v")["p_value"] == pytest.approx(oracle.pvalue)


def test_two_by_two_is_without_yates():
    told = compared({"c": ["a"] * 60 + ["b"] * 40}, {"c": ["a"] * 40 + ["b"] * 60})

    assert measured(told, "c", "chi2")["value"] == pytest.approx(8.0)


def test_the_usual_measures_are_those_that_an_outlier_cannot_fool():
    then = np.append(RNG.normal(size=100_000), 1e6)
    told = compared({"x": then}, {"x": RNG.normal(0.5, 1, 20_000)})

    assert {m["check"]: m["verdict"] in ("warning", "critical") for m in told["features"][0]["measurements"]} == {
        "ks": True,
        "psi": True,
    }


def test_checks_are_chosen_by_name_by_comma_or_one_by_one():
    assert [m.name for m in chosen(["psi, ks"], every=False)["numeric"]] == ["ks", "psi"]
    assert [m.name for m in chosen(["ks", "chi2"], every=False)["categorical"]] == ["chi2"]
    assert {kind: {m.name for m in chosen([], every=True)[kind]} for kind in BOTH} == {
        "numeric": NUMERIC,
        "categorical": CATEGORICAL,
    }


def test_an_unknown_check_is_told_with_those_there_are():
    with pytest.raises(ConfigError, match=r"no check 'kss'; there are: ks, wasserstein, .*, l_infinity\."):
        chosen(["ks,kss"], every=False)


def test_some_and_every_check_at_once_is_a_question_back():
    with pytest.raises(ConfigError, match="not both"):
        chosen(["ks"], every=True)


@pytest.mark.parametrize("name", MEASURES)
def test_the_same_column_twice_has_not_moved(name):
    table = {"x": RNG.normal(size=500), "c": RNG.choice(["a", "b"], 500), "one": ["same"] * 500, "flat": [1.0] * 500}
    told = compared(table, table, checks=[name])

    assert {m["value"] for f in told["features"] for m in f["measurements"]} == {0.0}
    assert {m["verdict"] for f in told["features"] for m in f["measurements"]} == {"healthy"}
    assert told["findings"] == []


@pytest.mark.parametrize("name", MEASURES)
def test_a_large_change_is_found_by_every_measure(name):
    then = {"x": RNG.normal(size=1_000), "c": RNG.choice(["a", "b"], 1_000, p=[0.9, 0.1])}
    now = {"x": RNG.normal(1, 1, 1_000), "c": RNG.choice(["a", "b"], 1_000, p=[0.4, 0.6])}
    told = compared(then, now, checks=[name])

    assert told["verdict"] == "critical"
    assert {f["verdict"] for f in told["features"] if f["measurements"]} == {"critical"}


@pytest.mark.parametrize("name", MEASURES)
def test_small_samples_of_the_same_do_not_move(name):
    names = [f"x{i}" for i in range(20)]
    shares = np.arange(1, 41) / np.arange(1, 41).sum()

    def table(n):
        return {name: RNG.normal(size=n) for name in names} | {
            f"c{i}": RNG.choice([f"l{j}" for j in range(40)], n, p=shares) for i in range(10)
        }

    assert compared(table(120), table(60), checks=[name])["findings"] == []


def test_of_ids_that_are_all_new_nobody_can_say_whether_they_moved():
    then, now = ([f"{side}{i}" for i in range(3_000)] for side in "ab")
    told = compared({"id": then}, {"id": now})

    assert told["findings"] == []
    assert told["verdict"] == "unknown"
    assert "too rare" in measured(told, "id", "cramers_v")["reason"]


def test_a_large_distance_of_few_rows_is_within_chance():
    told = compared({"c": ["a", "b"] * 20}, {"c": ["a"] * 20 + ["b"] * 12}, checks=["total_variation"])

    assert measured(told, "c", "total_variation")["value"] == pytest.approx(0.125)
    assert measured(told, "c", "total_variation")["reason"] == "large, but within chance"


def test_a_constant_that_has_moved_is_not_healthy_for_its_one_bin():
    told = compared({"x": np.ones(500)}, {"x": np.full(500, 2.0)}, checks=["ks,psi,wasserstein_normed"])

    assert (measured(told, "x", "psi")["value"], measured(told, "x", "psi")["verdict"]) == (0.0, "unknown")
    assert measured(told, "x", "ks")["verdict"] == measured(told, "x", "wasserstein_normed")["verdict"] == "critical"
    assert compared({"x": np.ones(500)}, {"x": np.full(500, 2.0)}, checks=["psi"])["verdict"] == "unknown"


def test_missing_values_are_counted_apart_and_left_out():
    values = RNG.normal(size=998)
    then = {"x": pa.array([None, float("nan"), *values])}
    told = compared(then, {"x": pa.array([*[None] * 500, *values[:500]])}, every=True)
    clean = compared({"x": values}, {"x": values[:500]}, every=True)

    assert told["features"][0]["missing"] == {"reference": 0.002, "current": 0.5}
    assert [m["value"] for m in told["features"][0]["measurements"]] == [m["value"] for m in clean["features"][0]["measurements"]]


def test_infinities_are_counted_apart_and_poison_nothing():
    values = RNG.normal(size=1_000)
    told = compared({"x": values}, {"x": np.append(values, [np.inf, -np.inf])}, every=True)

    assert told["features"][0]["infinite"] == {"reference": 0.0, "current": pytest.approx(2 / 1_002)}
    assert told["features"][0]["missing"]["current"] == 0
    assert measured(told, "x", "wasserstein")["value"] == 0


def test_a_column_that_loses_its_values_has_broken_even_where_the_rest_stays_as_it_was():
    values = RNG.normal(size=1_000)
    told = compared({"x": values}, {"x": pa.array([*[None] * 300, *[np.inf] * 300, *values[:400]])})

    assert [(f["check"], f["verdict"], f["value"]) for f in told["findings"]] == [("missing", "critical", pytest.approx(0.6))]
    assert told["verdict"] == told["features"][0]["verdict"] == "critical"


def test_a_column_of_nothing_is_of_the_other_sides_kind_and_lost():
    told = compared({"x": RNG.normal(size=100)}, {"x": pa.nulls(100)})

    assert told["features"][0]["kind"] == "numeric"
    assert {m["verdict"] for m in told["features"][0]["measurements"]} == {"unknown"}
    assert [(f["check"], f["verdict"]) for f in told["findings"]] == [("missing", "critical")]


def test_a_column_of_nothing_on_both_sides_is_unknown():
    assert compared({"x": pa.nulls(100)}, {"x": pa.nulls(100)})["verdict"] == "unknown"


def test_times_are_left_out_with_a_word():
    at = pa.array(range(200), pa.timestamp("s"))
    table = pa.table(
        {"at": at, "day": at.cast(pa.date32()), "took": at.cast(pa.int64()).cast(pa.duration("s")), "x": RNG.normal(size=200)}
    )
    told = compared(table, table)

    assert [f["feature"] for f in told["features"]] == ["x"]
    assert [column["feature"] for column in told["left_out"]] == ["at", "day", "took"]


def test_a_time_that_has_become_text_has_changed_its_type():
    told = compared({"at": pa.array([1], pa.timestamp("s"))}, {"at": ["yesterday"]})

    assert told["findings"][0]["reason"] == "was time, is categorical"


def test_flags_are_categories_and_beside_numbers_they_are_numbers():
    flags = RNG.random(500) < 0.3

    assert compared({"b": flags}, {"b": flags})["features"][0]["kind"] == "categorical"
    assert compared({"b": flags}, {"b": flags.astype(int)})["features"][0]["kind"] == "numeric"
    assert compared({"b": flags}, {"b": flags.astype(int)})["verdict"] == "healthy"
    assert compared({"b": flags}, {"b": [str(flag).lower() for flag in flags]})["verdict"] == "healthy"


def test_decimals_and_whole_numbers_are_numbers():
    table = {"d": [Decimal("1.5"), Decimal("2.5")] * 100, "i": pa.array([1, 2] * 100, pa.int8())}
    told = compared(table, table, every=True)

    assert {f["kind"] for f in told["features"]} == {"numeric"}
    assert told["verdict"] == "healthy"


def test_chi_square_grows_with_the_rows_so_its_line_does_too():
    then, now = ["a"] * 900 + ["b"] * 100, ["a"] * 860 + ["b"] * 140
    few, many = (measured(compared({"c": then * n}, {"c": now * n}), "c", "chi2") for n in (1, 50))

    assert many["value"] == pytest.approx(50 * few["value"])
    assert many["threshold"] == pytest.approx(50 * few["threshold"])
    assert few["verdict"] == many["verdict"] == "healthy"


def test_lost_new_and_changed_columns_are_findings():
    told = compared({"a": [1.0], "b": [1.0], "c": ["x"]}, {"b": ["1"], "c": ["x"], "d": [1]})

    assert {(f["feature"], f["verdict"], f["reason"]) for f in told["findings"]} == {
        ("a", "critical", "the column is gone"),
        ("b", "critical", "was numeric, is categorical"),
        ("d", "unknown", "the column is new"),
    }


def test_the_worst_finding_comes_first():
    then = {"x": RNG.normal(size=2_000), "y": RNG.normal(size=2_000), "z": [1.0] * 2_000}
    told = compared(then, {"x": RNG.normal(0.4, 1, 2_000), "y": RNG.normal(2, 1, 2_000)})

    assert [f["feature"] for f in told["findings"]][:2] == ["z", "y"]
    assert [f["verdict"] for f in told["findings"]] == sorted(f["verdict"] for f in told["findings"])


@pytest.mark.parametrize("values", [[], [None, None], [float("nan")], [float("inf")]])
@pytest.mark.parametrize("large", [0, 2_000_000], ids=["streamed", "whole"])
def test_a_column_with_few_or_no_values_is_unknown_never_healthy(values, large):
    told = compared({"x": RNG.normal(size=100)}, {"x": pa.array(values, pa.float64())}, every=True, pictures=True, large=large)

    assert {m["verdict"] for m in told["features"][0]["measurements"]} == {"unknown"}
    assert told["verdict"] == "unknown"


def test_few_rows_are_not_enough():
    told = compared({"x": [1.0, 2.0]}, {"x": [3.0]})

    assert measured(told, "x", "ks")["verdict"] == "unknown"
    assert "of 30 rows" in measured(told, "x", "ks")["reason"]


odd = st.lists(st.sampled_from([0.0, -0.0, 1.0, 1e6, 1e308, -1e308, 5e-324, np.nan, np.inf, -np.inf, None]), max_size=70)
names = st.lists(st.sampled_from(["", "a", "b", None, "<script>", "\x00", "é", "NaN"]), max_size=70)


@settings(max_examples=60)
@given(odd, odd, names, names, st.sampled_from([0, 2_000_000]))
def test_no_column_is_odd_enough_to_crash(before, after, levels, later, large):
    then = [{"x": pa.array(before, pa.float64())}, {"c": pa.array(levels, pa.string())}]
    now = [{"x": pa.array(after, pa.float64())}, {"c": pa.array(later, pa.string())}]

    for reference, current in zip(then, now, strict=True):
        told = compared(reference, current, every=True, pictures=True, large=large)

        assert told["verdict"] in ("healthy", "unknown", "warning", "critical")
        assert told["headline"]


def test_a_csv_and_a_parquet_of_the_same_rows_are_the_same(tmp_path):
    table = pa.table({"x": RNG.normal(size=500), "c": RNG.choice(["a", "b"], 500), "flag": RNG.random(500) < 0.5})
    pa.csv.write_csv(table, tmp_path / "a.csv")
    pa.parquet.write_table(table, tmp_path / "b.parquet")
    told = compare_tables(tmp_path / "a.csv", tmp_path / "b.parquet").told

    assert told["reference"] == told["current"] == {"rows": 500}
    assert told["verdict"] == "healthy"


def test_a_missing_file_is_a_sentence(tmp_path):
    with pytest.raises(SourceUnavailable, match="There is no file"):
        compare_tables(tmp_path / "a.csv", tmp_path / "b.csv")
