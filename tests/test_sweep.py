"""Random parameters, data and hooks: a fit ends well, or says which of them is wrong.

Whatever comes, there is no other exception than a ValueError or TypeError, its text
names an argument or a hook, results are finite, and nothing that was given changes.
"""

import warnings
from copy import deepcopy

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.exceptions import NotFittedError

from gemclus.gemini import AVAILABLE_GEMINIS
from gemclus.linear import RIM, KernelRIM, LinearMMD, LinearModel, LinearWasserstein
from gemclus.mlp import MLPModel
from gemclus.nonparametric import CategoricalModel
from gemclus.sparse import SparseLinearModel, SparseMLPModel
from gemclus.tree import Douglas, Kauri

MODELS = [
    LinearModel, LinearMMD, LinearWasserstein, RIM, KernelRIM, MLPModel,
    CategoricalModel, SparseLinearModel, SparseMLPModel, Douglas, Kauri,
]  # fmt: skip
HOOKS = ["_infer", "_compute_grads", "_get_weights", "_init_params", "_batchify"]

odd_values = st.sampled_from(
    [None, -1, 0, 0.5, float("nan"), float("inf"), 10**400, "1", "abc", True, [], {},
     np.int64(2), np.float32(0.1), np.array([1, 2]), (), object, np.nan]
)  # fmt: skip
good_values = {
    "n_clusters": st.integers(1, 5),
    "max_clusters": st.integers(1, 5),
    "gemini": st.sampled_from([*AVAILABLE_GEMINIS, None]),
    "learning_rate": st.sampled_from([1e-3, 0.1, 10.0]),
    "solver": st.sampled_from(["adam", "sgd", "lbfgs"]),
    "batch_size": st.sampled_from([None, 1, 4, 100]),
    "random_state": st.sampled_from([0, 1]),
    "tol": st.sampled_from([None, 0.0, 1e-3]),
    "n_init": st.integers(1, 2),
    "init": st.sampled_from(["random", "k-means++"]),
    "reg": st.sampled_from([0.0, 0.1]),
    "alpha": st.sampled_from([0.0, 0.1, 100.0]),
    "kernel": st.sampled_from(["linear", "rbf", "laplacian", "cosine", "precomputed"]),
    "metric": st.sampled_from(["euclidean", "cityblock", "precomputed"]),
    "base_kernel": st.sampled_from(["linear", "rbf", "cosine"]),
    "ovo": st.booleans(),
}
samples = st.sampled_from(
    ["normal", "tiny", "huge", "offset", "constant", "duplicates", "one", "few", "nan",
     "text", "empty", "one column", "float32", "integers", "lists", "vector"]
)  # fmt: skip


def make_samples(kind):
    X = np.random.RandomState(0).normal(size=(12, 3))
    return {
        "normal": X,
        "tiny": X * 1e-200,
        "huge": X * 1e150,
        "offset": X + 1e9,
        "constant": np.ones((12, 3)),
        "duplicates": np.repeat(X[:3], 4, axis=0),
        "one": X[:1],
        "few": X[:2],
        "nan": np.where(X > 1, np.nan, X),
        "text": np.array([["a", "b"]] * 12),
        "empty": np.empty((0, 3)),
        "one column": X[:, :1],
        "float32": X.astype(np.float32),
        "integers": (X * 10).astype(int),
        "lists": X.tolist(),
        "vector": X[:, 0],
    }[kind]


def names_something(text, names):
    return any(name in text for name in [*names, *HOOKS, "n_samples"])


def run(model, X, given_arguments):
    """Fit and use a model; the message if it is refused."""
    kept = deepcopy(given_arguments)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            model.fit(X)
        except (ValueError, TypeError) as error:
            with pytest.raises((NotFittedError, AttributeError)):
                model.predict(X)
            message = str(error)
        else:
            message = None
            labels = model.predict(X)
            np.testing.assert_array_equal(labels, model.labels_)
            if hasattr(model, "predict_proba"):
                assert np.isfinite(model.predict_proba(X)).all()
    for name, value in kept.items():
        now = model.get_params(deep=False)[name]
        assert now is given_arguments[name]
        assert repr(now) == repr(value)
    return message


@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def test_parameters_and_samples(data):
    cls = data.draw(st.sampled_from(MODELS))
    known = cls().get_params()
    arguments = {
        name: data.draw(values, label=name)
        for name, values in good_values.items()
        if name in known and data.draw(st.booleans())
    }
    if data.draw(st.booleans()):
        name = data.draw(st.sampled_from(sorted(known)))
        arguments[name] = data.draw(odd_values, label=f"odd {name}")
    short = {"max_iter": 3} if "max_iter" in known else {}
    model = cls(**(short | arguments))
    X = make_samples(data.draw(samples))
    message = run(model, X, arguments)
    if message is not None:
        assert names_something(message, ["X", "y ", "sample", "feature", *known]), (
            message
        )


def break_hook(hook, result):
    def broken(self, *args, **kwargs):
        return result(getattr(LinearModel, hook)(self, *args, **kwargs))

    return type("Broken", (LinearModel,), {hook: broken})


def changed(value, kind):
    """Something close to what a hook returned."""
    if kind == "none":
        return None
    if kind == "list":
        return list(value) if value is not None else []
    if kind == "empty":
        return []
    if kind == "copies":
        return [np.copy(v) for v in value] if isinstance(value, list) else value
    if kind == "short":
        return value[:1]
    if kind == "nan":
        return (
            [v * np.nan for v in value] if isinstance(value, list) else value * np.nan
        )
    if kind == "wide":
        return np.hstack([value, value]) if hasattr(value, "shape") else value * 2
    if kind == "integers":
        if isinstance(value, list):
            return [np.ones(v.shape, int) for v in value]
        return np.ones(value.shape, int)
    return "text"


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(
    hook=st.sampled_from(["_infer", "_compute_grads", "_get_weights"]),
    kind=st.sampled_from(
        ["none", "list", "empty", "copies", "short", "nan", "wide", "integers", "text"]
    ),
    solver=st.sampled_from(["adam", "sgd", "lbfgs"]),
    init=st.sampled_from(["random", "k-means++"]),
)
def test_hooks(hook, kind, solver, init):
    cls = break_hook(hook, lambda value: changed(value, kind))
    model = cls(3, solver=solver, init=init, max_iter=3, random_state=0)
    X = make_samples("normal")
    message = run(model, X, {"solver": solver, "init": init})
    if message is not None:
        assert hook in message, message
