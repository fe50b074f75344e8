"""Linear scores as SQL: run by databases, they give the labels of `predict`."""

import sqlite3

import numpy as np
import pytest
from estimators import PUBLISHED
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    RobustScaler,
    StandardScaler,
)

from gemclus.linear import RIM, KernelRIM, LinearMMD
from gemclus.mlp import MLPMMD
from gemclus.sparse import SparseLinearMMD
from gemclus.tree import export_sql


def samples(n, n_features=4, seed=0):
    return np.random.RandomState(seed).normal(size=(n, n_features))


def in_sqlite(sql, columns):
    return run_in(sqlite3.connect(":memory:"), sql, columns)


def in_duckdb(sql, columns):
    return run_in(pytest.importorskip("duckdb").connect(), sql, columns)


def run_in(connection, sql, columns):
    """The last column of a SELECT; a database may give the rows in any order."""
    columns = {"row": np.arange(len(next(iter(columns.values())))), **columns}
    kinds = {
        name: "VARCHAR" if isinstance(values[0], str) else "DOUBLE"
        for name, values in columns.items()
    }
    fields = ", ".join(f'"{name}" {kind}' for name, kind in kinds.items())
    connection.execute(f"CREATE TABLE t ({fields})")
    rows = [
        [None if v is None or v != v else v for v in row]
        for row in zip(*(np.asarray(v, dtype=object) for v in columns.values()))
    ]
    insert(connection, rows)
    rows = sorted(connection.execute(sql).fetchall(), key=lambda row: row[0])
    connection.close()
    return [row[-1] for row in rows]


def insert(connection, rows):
    """Many rows in one statement: DuckDB takes a millisecond for each."""
    step = max(1, 4000 // len(rows[0]))
    for first in range(0, len(rows), step):
        part = rows[first : first + step]
        places = ", ".join(["(" + ", ".join("?" * len(part[0])) + ")"] * len(part))
        values = [value for row in part for value in row]
        connection.execute(f"INSERT INTO t VALUES {places}", values)


def columns_of(X):
    return {f"x{j}": X[:, j] for j in range(X.shape[1])}


every_database = pytest.mark.parametrize("run", [in_sqlite, in_duckdb])


@every_database
@pytest.mark.parametrize(
    "steps",
    [
        [],
        [StandardScaler()],
        [StandardScaler(with_std=False)],
        [StandardScaler(with_mean=False), MinMaxScaler((-1, 3))],
        [RobustScaler(), MaxAbsScaler()],
        [RobustScaler(with_centering=False), RobustScaler(with_scaling=False)],
    ],
    ids=lambda steps: "-".join(str(step)[:24] for step in steps) or "bare",
)
@pytest.mark.parametrize("n_clusters", [1, 2, 5])
def test_labels_are_those_of_the_model(n_clusters, steps, run):
    model = LinearMMD(n_clusters=n_clusters, max_iter=50, random_state=0, **PUBLISHED)
    pipeline = make_pipeline(*steps, model).fit(samples(200))
    new = samples(3000, seed=1) * 2
    labels = run(export_sql(pipeline, table="t"), columns_of(new))
    np.testing.assert_array_equal(labels, pipeline.predict(new))


@every_database
def test_many_features_are_bracketed(run):
    """SQLite refuses expressions of depth 1000."""
    X = samples(30, 1200)
    model = RIM(max_iter=3, random_state=0, **PUBLISHED).fit(X)
    X = X[:, :1200]
    if run is in_duckdb:
        labels = run(export_sql(model, table="t"), columns_of(X))
    else:
        # And tables of 2000 columns, but values of 999 parameters in one statement.
        connection = sqlite3.connect(":memory:")
        values = [
            ", ".join(f"{float(v)!r} AS x{j}" for j, v in enumerate(row)) for row in X
        ]
        sql = export_sql(model)
        labels = [
            connection.execute(f"SELECT {sql} FROM (SELECT {row})").fetchone()[0]
            for row in values
        ]
        connection.close()
    np.testing.assert_array_equal(labels, model.predict(X))


@every_database
def test_features_without_weight_are_not_read(run):
    X = samples(300)
    model = SparseLinearMMD(max_iter=20, random_state=0, **PUBLISHED).fit(X)
    model.W_[2] = 0.0
    sql = export_sql(model, table="t", cluster_names=["a", "b's", "c"])
    assert "x2" not in sql
    X[:, 2], X[0, 1] = np.nan, np.nan
    names = run(sql, columns_of(X))
    assert names[0] is None
    X[:, 2] = 0.0
    told = np.array(["a", "b's", "c"])[model.predict(X[1:])]
    assert names[1:] == told.tolist()


@every_database
def test_imputed_values_and_categories(run):
    pd = pytest.importorskip("pandas")
    rng = np.random.RandomState(0)
    frame = pd.DataFrame({"age": rng.normal(40, 9, 300), "income": rng.rand(300)})
    frame.loc[::7, "age"] = np.nan
    frame["plan"] = rng.choice(["mobile", "fixed", "no 'plan'"], 300)
    frame["town"] = rng.choice(list("abcd"), 300)
    encode = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), ["age"]),
        (make_pipeline(StandardScaler(), SimpleImputer()), ["income"]),
        (OneHotEncoder(drop="first"), ["plan"]),
        (OneHotEncoder(handle_unknown="ignore"), ["town"]),
    )
    model = LinearMMD(max_iter=50, random_state=0, **PUBLISHED)
    pipeline = make_pipeline(encode, model).fit(frame)
    frame.loc[::5, "town"] = "elsewhere"
    frame.loc[::11, "income"] = np.nan
    columns = {name: frame[name].to_numpy(object) for name in frame}
    sql = export_sql(pipeline, table="t")
    np.testing.assert_array_equal(run(sql, columns), pipeline.predict(frame))
    columns["plan"] = ["unheard of"] * 300
    assert run(sql, columns) == [None] * 300


def test_models_without_linear_scores_are_refused():
    X = samples(40)
    for model in (MLPMMD(max_iter=2, **PUBLISHED), KernelRIM(max_iter=2, **PUBLISHED)):
        with pytest.raises(TypeError, match=f"got {type(model).__name__}"):
            export_sql(model.fit(X))
    pipeline = make_pipeline(
        MinMaxScaler(clip=True), LinearMMD(max_iter=2, **PUBLISHED)
    )
    with pytest.raises(TypeError, match="clip=True cannot be undone"):
        export_sql(pipeline.fit(X))
    model = LinearMMD(max_iter=2, **PUBLISHED).fit(X)
    model.W_[0, 0] = np.nan
    with pytest.raises(ValueError, match="coef_ and intercept_ of LinearMMD must be"):
        export_sql(model)
