"""Rules as SQL: run by databases, they give the labels of `predict`."""

import sqlite3

import numpy as np
import pytest
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import VarianceThreshold
from sklearn.impute import SimpleImputer
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    RobustScaler,
    StandardScaler,
)

from gemclus.linear import LinearMMD
from gemclus.tree import Kauri, export_sql, export_text
from gemclus.tree._export.columns import Number, _rank, _unrank
from gemclus.tree._export.reader import Reader
from gemclus.tree._export.rules import leaf_rules

# Raw columns of very different scales are as good as any here.
pytestmark = pytest.mark.filterwarnings("ignore:feature .* of the scatter of X")

SPREAD = np.array([1.0, 1e-5, 1e3, 7.0])
CENTRE = np.array([0.0, 0.0, 1e4, 1.0 / 3.0])
NAMES = ['a "quoted" name', "it's", "two words\nand lines", "SELECT"]


def samples(n, seed=0):
    return np.random.RandomState(seed).normal(size=(n, 4)) * SPREAD + CENTRE


def with_thresholds(pipeline, rows):
    """Rows, some of them at the thresholds and just above."""
    rows = rows.copy()
    for i, split in enumerate(Reader(pipeline, None, None).splits.values()):
        rows[2 * i, split.column.source] = split.threshold
        above = np.nextafter(split.threshold, np.inf)
        rows[2 * i + 1, split.column.source] = above
    return rows


def typed(values):
    """The type of a column, and its values as SQL takes them."""
    values = [v.item() if isinstance(v, np.generic) else v for v in values]
    values = [None if v is None or v != v else v for v in values]
    kinds = {type(v) for v in values if v is not None}
    kind = {str: "VARCHAR", int: "BIGINT", float: "DOUBLE"}[kinds.pop()]
    return kind, values


def in_sqlite(sql, columns):
    return run_in(sqlite3.connect(":memory:"), sql, columns)


def in_duckdb(sql, columns):
    return run_in(pytest.importorskip("duckdb").connect(), sql, columns)


def run_in(connection, sql, columns):
    """The last column of a SELECT from the table ``t`` of some columns.

    A database may give the rows in any order.
    """
    columns = {"row": np.arange(len(next(iter(columns.values())))), **columns}

    def quoted(name):
        return '"' + name.replace('"', '""') + '"'

    kinds, values = zip(*(typed(column) for column in columns.values()))
    fields = ", ".join(f"{quoted(n)} {kind}" for n, kind in zip(columns, kinds))
    connection.execute(f"CREATE TABLE t ({fields})")
    insert(connection, list(zip(*values)))
    result = sorted(connection.execute(sql).fetchall(), key=lambda row: row[0])
    connection.close()
    return [row[-1] for row in result]


def insert(connection, rows):
    """Many rows in one statement: DuckDB takes a millisecond for each."""
    step = max(1, 4000 // len(rows[0]))
    for first in range(0, len(rows), step):
        part = rows[first : first + step]
        places = ", ".join(["(" + ", ".join("?" * len(part[0])) + ")"] * len(part))
        values = [value for row in part for value in row]
        connection.execute(f"INSERT INTO t VALUES {places}", values)


every_database = pytest.mark.parametrize("run", [in_sqlite, in_duckdb])


@every_database
@pytest.mark.parametrize(
    "steps",
    [
        [],
        [StandardScaler()],
        [MinMaxScaler(), StandardScaler()],
        [RobustScaler(quantile_range=(5, 95))],
        [MaxAbsScaler(), "passthrough"],
        [VarianceThreshold(1e-3), StandardScaler()],
        [FeatureUnion([("a", StandardScaler()), ("b", MinMaxScaler())])],
        [make_column_transformer((StandardScaler(), [2, 0]), remainder="passthrough")],
    ],
    ids=lambda steps: "-".join(type(s).__name__ for s in steps) or "bare",
)
def test_labels_are_those_of_the_tree(steps, run):
    pipeline = make_pipeline(*steps, Kauri(max_clusters=300, max_leaves=300))
    pipeline.fit(samples(2000))
    new = with_thresholds(pipeline, samples(10_000, seed=1))
    sql = export_sql(pipeline, feature_names=NAMES, table="t")
    labels = run(sql, dict(zip(NAMES, new.T)))
    np.testing.assert_array_equal(labels, pipeline.predict(new))


@every_database
def test_deep_trees_stay_flat(run):
    """Nested, a depth of 23 overflows SQLite's parser."""
    X = 3.0 ** np.arange(60)[:, None]
    tree = Kauri(max_clusters=60).fit(X)
    assert tree.get_depth() >= 30
    sql = export_sql(tree, table="t")
    assert sql.count("CASE") == 1
    assert sql.count("WHEN") == tree.get_n_leaves()
    assert max(line.count('"x0"') for line in sql.splitlines()) == 2
    np.testing.assert_array_equal(run(sql, {"x0": X[:, 0]}), tree.labels_)


@every_database
def test_one_leaf_and_names_of_clusters(run):
    X = samples(50)
    tree = Kauri(max_clusters=1).fit(X)
    assert export_sql(tree) == "0"
    columns = {f"x{j}": X[:, j] for j in range(4)}
    assert run(export_sql(tree, table=["main", "t"]), columns) == [0] * 50
    tree = Kauri(max_clusters=2).fit(X)
    names = ["it's", "two"]
    told = run(export_sql(tree, table="t", cluster_names=names), columns)
    assert told == [names[k] for k in tree.labels_]


@every_database
@pytest.mark.parametrize("steps", [[], [StandardScaler()]], ids=["bare", "scaled"])
@pytest.mark.parametrize("missing_at_fit", [True, False])
def test_null_goes_the_way_of_missing_values(missing_at_fit, steps, run):
    rng = np.random.RandomState(0)
    X, new = samples(1000), samples(5000, seed=1)
    new[rng.uniform(size=new.shape) < 0.3] = np.nan
    if missing_at_fit:
        X[rng.uniform(size=X.shape) < 0.2] = np.nan
    pipeline = make_pipeline(*steps, Kauri(max_clusters=60)).fit(X)
    columns = {f"x{j}": new[:, j] for j in range(4)}
    labels = run(export_sql(pipeline, table="t"), columns)
    np.testing.assert_array_equal(labels, pipeline.predict(new))


@every_database
def test_imputed_values(run):
    X = samples(500)
    X[::7, 1] = X[::5, 2] = np.nan
    pipeline = make_pipeline(
        SimpleImputer(strategy="median"), StandardScaler(), Kauri(max_clusters=40)
    ).fit(X)
    columns = {f"x{j}": X[:, j] for j in range(4)}
    labels = run(export_sql(pipeline, table="t"), columns)
    np.testing.assert_array_equal(labels, pipeline.predict(X))


def categorical_frame(n=400):
    pd = pytest.importorskip("pandas")
    rng = np.random.RandomState(0)
    towns = [*"abcdefgh"]
    return pd.DataFrame(
        {
            "age": rng.normal(40, 10, n),
            "plan": rng.choice(["mobile", "fixed", "it's none"], n),
            "kids": rng.choice([0, 1, 2, 7], n),
            "town": rng.choice(towns, n, p=[0.3, 0.3, 0.2] + 5 * [0.04]),
        }
    )


@every_database
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"drop": "first"},
        {"drop": "if_binary"},
        {"handle_unknown": "ignore"},
        {"min_frequency": 0.34, "handle_unknown": "infrequent_if_exist"},
        {"max_categories": 2},
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore:Found unknown categories")
def test_categories(options, run):
    frame = categorical_frame()
    encode = make_column_transformer(
        (StandardScaler(), ["age"]),
        (OneHotEncoder(sparse_output=False), ["kids"]),
        (OneHotEncoder(**options), ["plan"]),
        (OneHotEncoder(min_frequency=0.1, handle_unknown="ignore"), ["town"]),
    )
    pipeline = make_pipeline(encode, StandardScaler(), Kauri(max_clusters=30))
    pipeline.fit(frame)
    new = frame.copy()
    new.loc[::5, "town"] = "elsewhere"
    new.loc[::9, "town"] = None
    if "handle_unknown" in options:
        new.loc[::6, "plan"] = "another"
    columns = {name: new[name].to_numpy(object) for name in new}
    labels = run(export_sql(pipeline, table="t"), columns)
    np.testing.assert_array_equal(labels, pipeline.predict(new))


@every_database
def test_categories_that_the_encoder_refuses_give_null(run):
    frame = categorical_frame()[["plan"]]
    pipeline = make_pipeline(OneHotEncoder(sparse_output=False), Kauri()).fit(frame)
    plans = ["mobile", "another", None]
    labels = run(export_sql(pipeline, table="t"), {"plan": plans})
    assert labels[1:] == [None, None]
    assert labels[0] == pipeline.predict(frame.assign(plan="mobile"))[0]


@every_database
def test_a_missing_category(run):
    frame = categorical_frame()[["plan", "town"]].astype(object)
    frame.loc[::3, "plan"] = None
    encoder = OneHotEncoder(sparse_output=False, handle_unknown="ignore")
    pipeline = make_pipeline(encoder, Kauri(max_clusters=9)).fit(frame)
    columns = {name: frame[name].to_numpy(object) for name in frame}
    sql = export_sql(pipeline, table="t")
    assert '"plan" IS NULL' in sql
    np.testing.assert_array_equal(run(sql, columns), pipeline.predict(frame))


# What it is made of


def test_undone_thresholds_are_exact():
    """On both sides of it, number by number, rounding of the scaler included."""
    rng = np.random.RandomState(0)
    X = rng.normal(size=(100, 1)) * 1e-3 + 7.0
    scaler = StandardScaler().fit(X)
    column = Number(0).then(lambda x: scaler.transform(x[:, None])[:, 0])
    thresholds = rng.normal(size=1000)
    undone = column.undo(thresholds)
    assert (column.forward(undone) <= thresholds).all()
    assert (column.forward(np.nextafter(undone, np.inf)) > thresholds).all()
    clipped = Number(0).then(lambda x: np.clip(x, 0.0, 1.0))
    np.testing.assert_array_equal(
        clipped.undo([-1.0, 0.5, 1.0, 2.0]), [-np.inf, 0.5, np.inf, np.inf]
    )


def test_ranks_are_in_the_order_of_the_numbers():
    values = np.sort(np.random.RandomState(0).standard_cauchy(1000) * 1e30)
    values = np.concatenate([values[:500], [-1e-320, 0.0, 1e-320], values[500:]])
    values.sort()
    ranks = _rank(values)
    assert (ranks[1:] > ranks[:-1]).all()
    np.testing.assert_array_equal(_unrank(ranks), values)
    assert _rank(np.nextafter(1.0, 2.0)) - _rank(1.0) == 1


def test_rules_are_disjoint_and_cover_everything():
    X = samples(300)
    tree = Kauri(max_clusters=50).fit(X)
    rules = list(leaf_rules(Reader(tree, None, None)))
    assert len(rules) == tree.get_n_leaves()
    leaves = tree.apply(X)
    for rule in rules:
        inside = np.ones(len(X), dtype=bool)
        for source, interval in rule.conditions.items():
            inside &= (interval.low < X[:, source]) & (X[:, source] <= interval.high)
        np.testing.assert_array_equal(inside, leaves == rule.node)


# Refusals


@pytest.mark.parametrize(
    "arguments, error, match",
    [
        ({"feature_names": ["a"]}, ValueError, "feature_names must hold 4 names"),
        ({"feature_names": "abcd"}, TypeError, "feature_names must be a list"),
        ({"feature_names": ["a", "", "c", "d"]}, ValueError, "not empty"),
        ({"feature_names": ["a", "b\0", "c", "d"]}, ValueError, "null character"),
        ({"cluster_names": {0: "a", 1: "b"}}, TypeError, "cluster_names must be a l"),
        ({"cluster_names": ["a"]}, ValueError, "cluster_names must hold 2 names"),
        ({"table": ""}, ValueError, "table must hold names"),
        ({"feature_names": ["a", "b", "a", "c"]}, ValueError, "'a' more than once"),
        ({"table": [3]}, TypeError, "table must hold names"),
        ({"table": 3}, TypeError, "table must hold names"),
        ({"table": []}, TypeError, "table must hold names"),
        ({"cluster_names": ["a", "b\0"]}, ValueError, "cluster_names .* null char"),
        ({"table": "t", "column": ""}, ValueError, "column must hold names"),
        ({"quote": "'"}, ValueError, "quote must be one of"),
    ],
)
def test_bad_arguments_are_refused(arguments, error, match):
    tree = Kauri(max_clusters=2).fit(samples(20))
    with pytest.raises(error, match=match):
        export_sql(tree, **arguments)


def test_models_that_cannot_be_told_are_refused():
    X = samples(50)
    with pytest.raises(NotFittedError):
        export_sql(Kauri())
    with pytest.raises(NotFittedError):
        export_sql(make_pipeline(StandardScaler(), Kauri()))
    with pytest.raises(TypeError, match="model must be"):
        export_sql(3)
    with pytest.raises(TypeError, match="PCA cannot be undone"):
        export_sql(make_pipeline(PCA(2), Kauri()).fit(X))
    with pytest.raises(TypeError, match="SimpleImputer can be undone if"):
        X[0, 0] = np.nan
        imputer = SimpleImputer(add_indicator=True)
        export_sql(make_pipeline(imputer, Kauri()).fit(X))


def test_numbers_that_are_not_finite_are_refused():
    X = samples(50)
    tree = Kauri(max_clusters=2).fit(X)
    tree.tree_.thresholds[0] = np.nan
    with pytest.raises(ValueError, match="the tree is damaged: a threshold is NaN"):
        export_sql(tree)
    for model in (Kauri(max_clusters=2), LinearMMD(random_state=0)):
        for name in ("mean_", "scale_"):
            pipeline = make_pipeline(StandardScaler(), model).fit(X)
            getattr(pipeline[0], name)[:] = np.nan
            with pytest.raises(ValueError, match=f"{name} of StandardScaler must be f"):
                export_sql(pipeline)


def test_numbers_that_no_rule_reads_need_not_be_finite():
    """Such as those of a column without values."""
    X = samples(50)
    X[:, 1] = np.nan
    pipeline = make_pipeline(StandardScaler(), Kauri(max_clusters=2))
    with np.errstate(invalid="ignore"):
        pipeline.fit(X)
    assert np.isnan(pipeline[0].scale_[1])
    assert '"x1"' not in export_sql(pipeline)


def test_steps_that_do_not_fit_together_are_refused():
    """Each fitted by itself."""
    X = StandardScaler().fit_transform(samples(50))
    tree, scaler = Kauri(max_clusters=2).fit(X), StandardScaler().fit(X[:, :2])
    with pytest.raises(ValueError, match="Kauri was fitted to 4 features, and gets 2"):
        export_sql(make_pipeline(scaler, tree))
    first = MinMaxScaler().fit(X)
    with pytest.raises(ValueError, match="StandardScaler was fitted to 2 features"):
        export_sql(make_pipeline(first, scaler, tree))


def test_unfitted_steps_are_named():
    X = samples(50)
    first = MinMaxScaler().fit(X)
    tree = Kauri(max_clusters=2).fit(first.transform(X))
    with pytest.raises(NotFittedError, match="StandardScaler"):
        export_sql(make_pipeline(first, StandardScaler(), tree))


@every_database
@pytest.mark.parametrize("steps", [[], [StandardScaler()]], ids=["bare", "scaled"])
def test_splits_off_missing_values(steps, run):
    """Every number goes left of an infinite threshold."""
    labels = np.repeat([0, 1, 2], 20)
    numbers = labels + np.random.RandomState(0).uniform(-0.3, 0.3, 60)
    X = np.where(labels == 2, np.nan, numbers)[:, None]
    pipeline = make_pipeline(*steps, Kauri(max_clusters=3, kernel="labels"))
    pipeline.fit(X, labels)
    assert np.inf in pipeline[-1].tree_.thresholds
    told = run(export_sql(pipeline, table="t"), {"x0": X[:, 0]})
    np.testing.assert_array_equal(told, pipeline.predict(X))
    text = export_text(pipeline)
    assert "X[:, 0] is not missing" in text and "X[:, 0] is missing" in text
    assert "inf" not in text


def test_quotes():
    tree = Kauri(max_clusters=2).fit(samples(20)[:, :1])
    assert "`x``0` <= " in export_sql(tree, feature_names=["x`0"], quote="`")
    assert '"x""0" <= ' in export_sql(tree, feature_names=['x"0'])
