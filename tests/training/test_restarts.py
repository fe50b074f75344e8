"""Several starts: the first is the single one, and more never end lower."""

import estimators
import numpy as np
import pytest
from estimators import PUBLISHED
from joblib import parallel_backend
from sklearn.base import clone
from sklearn.datasets import load_wine
from sklearn.preprocessing import StandardScaler

from gemclus._training import restarts
from gemclus.linear import RIM, LinearMMD

wine = StandardScaler().fit_transform(load_wine().data)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_more_starts_never_end_lower(seed):
    ends = [
        RIM(5, reg=0.01, solver="lbfgs", n_init=n, random_state=seed, init="random")
        .fit(wine)
        .objective_curve_[-1]
        for n in (1, 2, 3, 5)
    ]
    assert ends == sorted(ends)
    assert ends[-1] > ends[0]


@pytest.mark.parametrize(
    "cls", estimators.GRADIENT_MODELS, ids=lambda cls: cls.__name__
)
def test_the_first_start_is_the_single_one(cls, monkeypatch):
    X = wine[:40, :4]
    model = estimators.make_gradient_model(cls).set_params(max_iter=2, random_state=5)
    if "batch_size" in model.get_params():
        model.set_params(batch_size=16)
    several = clone(model).set_params(n_init=2)
    # Of equals the first is kept.
    monkeypatch.setattr(restarts, "_reached", lambda trained: 0.0)
    model.fit(X), several.fit(X)
    np.testing.assert_array_equal(several.objective_curve_, model.objective_curve_)
    for weight, expected in zip(several._get_weights(), model._get_weights()):
        np.testing.assert_array_equal(weight, expected)


@pytest.mark.parametrize("n_jobs", [None, 2])
@pytest.mark.parametrize("state", [7, np.random.RandomState(7)])
def test_jobs_and_kinds_of_random_states_change_nothing(n_jobs, state):
    expected = LinearMMD(n_init=3, max_iter=20, random_state=7, **PUBLISHED).fit(wine)
    if not isinstance(state, int):
        state = np.random.RandomState(7)
    model = LinearMMD(
        n_init=3, max_iter=20, random_state=state, n_jobs=n_jobs, **PUBLISHED
    )
    with parallel_backend("threading"):
        model.fit(wine)
    np.testing.assert_array_equal(model.W_, expected.W_)
    if not isinstance(state, int):
        # The user's generator has moved on: another fit is another draw.
        assert not np.array_equal(model.fit(wine).W_, expected.W_)
