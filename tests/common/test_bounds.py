"""Every bound of a parameter: the last value taken, and the next one, refused."""

import os

import numpy as np
import pytest
from estimators import GRADIENT_MODELS, PUBLISHED

from gemclus.constraints import add_mlcl_constraint
from gemclus.data import celeux_one, celeux_two, draw_gmm, gstm, multivariate_student_t
from gemclus.gemini import KLGEMINI, MI, MMDGEMINI, TVGEMINI, WassersteinGEMINI
from gemclus.gemini._wasserstein import _count_threads
from gemclus.linear import LinearMMD
from gemclus.penalties import HierarchicalLasso
from gemclus.selection import KSelector, StabilitySelection
from gemclus.sparse import SparseLinearMMD
from gemclus.tree import Kauri

X = np.random.RandomState(0).normal(size=(12, 3))
P = np.full((4, 2), 0.5)
TINY, OVER = 5e-324, np.nextafter(1.0, 2.0)

# Name of a parameter: what is just allowed, and what is just refused.
OF_MODELS = {
    "n_clusters": ([1, 12], [0, 13]),
    "max_iter": ([1], [0]),
    "learning_rate": ([1e-300], [0.0, -TINY]),
    "batch_size": ([1], [0]),
    "tol": ([0.0], [-TINY]),
    "n_iter_no_change": ([1], [0]),
    "n_init": ([1], [0]),
    "n_jobs": ([1, -1], [0]),
    "verbose": ([0], [-1]),
    "alpha": ([0.0], [-TINY]),
    "M": ([0.0], [-TINY]),
    "reg": ([0.0], [-TINY]),
    "n_hidden_dim": ([1], [0]),
    "n_cuts": ([1], [0]),
    "temperature": ([1e-3], [0.0, -TINY]),
    "epsilon": ([0.5], [np.nextafter(0.5, 1), -TINY]),
}
OF_TREES = {
    "max_clusters": ([1, 99], [0]),
    "max_depth": ([1], [0]),
    "max_leaves": ([1], [0]),
    "min_samples_split": ([2, 99, TINY, 1.0], [1, 0.0, OVER]),
    "min_samples_leaf": ([1, 99, TINY, 1.0], [0, 0.0, OVER]),
    "min_weight_fraction_leaf": ([0.0, 0.5], [-TINY, np.nextafter(0.5, 1)]),
    "min_gain": ([0.0], [-TINY]),
    "max_features": ([1, 3, TINY, 1.0], [0, 4, 0.0, OVER]),
    "max_bins": ([2, 65535], [1, 65536]),
    "n_jobs": ([1, -1], [0]),
    "verbose": ([0], [-1]),
}
OF_PATHS = {
    "alpha_multiplier": ([OVER], [1.0]),
    "min_features": ([0], [-1]),
    "keep_threshold": ([0.0, 1.0], [-TINY, OVER]),
    "early_stopping_factor": ([0.0, 1.0], [-TINY, OVER]),
    "max_patience": ([1], [0]),
}


def named(model):
    return type(model).__name__


def model_bounds():
    for cls in GRADIENT_MODELS:
        for name in sorted(OF_MODELS.keys() & cls().get_params()):
            yield pytest.param(cls, name, id=f"{cls.__name__}-{name}")


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("cls, name", model_bounds())
def test_models(cls, name):
    allowed, refused = OF_MODELS[name]
    settings = PUBLISHED | {"max_iter": 1, "random_state": 0}
    for value in allowed:
        model = cls(**settings | {name: value}).fit(X)
        assert model.n_iter_ == 1 and getattr(model, name) == value
    for value in refused:
        with pytest.raises(ValueError, match=name):
            cls(**settings | {name: value}).fit(X)


@pytest.mark.parametrize("name", OF_TREES)
def test_trees(name):
    allowed, refused = OF_TREES[name]
    for value in allowed:
        assert Kauri(**{name: value}).fit(X).n_clusters_ >= 1
    for value in refused:
        with pytest.raises(ValueError, match=name):
            Kauri(**{name: value}).fit(X)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", OF_PATHS)
def test_paths(name):
    allowed, refused = OF_PATHS[name]
    settings = {"alpha": 100.0, "max_iter": 1, "learning_rate": 0.1}
    for value in allowed:
        model = SparseLinearMMD(**PUBLISHED | settings)
        # One step leaves nothing, so that the smallest multiplier ends as well.
        assert model.path(X, **{name: value}).n_features == [0]
    for value in refused:
        with pytest.raises(ValueError, match=name):
            SparseLinearMMD(**PUBLISHED | settings).path(X, **{name: value})


@pytest.mark.parametrize(
    "cls, least",
    [
        (MMDGEMINI, 0.0),
        (WassersteinGEMINI, 0.0),
        (KLGEMINI, 1e-100),
        (TVGEMINI, 1e-100),
        (MI, 1e-100),
    ],
)
def test_clipping_of_objectives(cls, least):
    affinity = cls().compute_affinity(X[:4])
    for epsilon in (least, 0.5):
        assert cls(epsilon=epsilon).evaluate(P, affinity) == 0.0
    for epsilon in (np.nextafter(least, -1.0), np.nextafter(0.5, 1.0)):
        with pytest.raises(ValueError, match="epsilon"):
            cls(epsilon=epsilon).evaluate(P, affinity)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(
    "make, name, allowed, refused",
    [
        (KSelector, "n_splits", [2], [1]),
        (KSelector, "n_clusters", [[1, 2], [2, 3]], [[0, 2]]),
        (StabilitySelection, "n_resamples", [1], [0]),
        (StabilitySelection, "threshold", [TINY, 1.0], [0.0, OVER]),
        (StabilitySelection, "min_features", [1, 3], [0, 4]),
    ],
)
def test_selections(make, name, allowed, refused):
    inner = LinearMMD if make is KSelector else SparseLinearMMD
    model = inner(**PUBLISHED | {"max_iter": 2, "learning_rate": 0.1})
    if make is KSelector:
        settings = {"n_clusters": [2], "n_splits": 2}
    else:
        settings = {"n_resamples": 2, "path_params": {"alpha_multiplier": 4.0}}
    for value in allowed:
        make(model, random_state=0, **settings | {name: value}).fit(X)
    for value in refused:
        with pytest.raises(ValueError, match=name):
            make(model, random_state=0, **settings | {name: value}).fit(X)


def test_other_bounds():
    one, eye = np.zeros((1, 2)), np.eye(2)
    assert draw_gmm(1, one, [eye], [1.0])[0].shape == (1, 2)
    assert multivariate_student_t(1, one[0], eye, df=0.5).shape == (1, 2)
    assert celeux_one(1, p=0)[0].shape == (1, 5) and celeux_two(1)[0].shape == (1, 14)
    assert gstm(4)[0].shape == (4, 2)
    for make in (
        lambda: draw_gmm(0, one, [eye], [1.0]),
        lambda: multivariate_student_t(0, one[0], eye),
        lambda: multivariate_student_t(1, one[0], eye, df=0.0),
        lambda: celeux_one(0),
        lambda: celeux_one(1, p=-1),
        lambda: celeux_two(0),
        lambda: gstm(3),
    ):
        with pytest.raises(ValueError, match=r"(n|p|df) must be"):
            make()
    assert HierarchicalLasso(2, M=0.0).M == 0.0
    with pytest.raises(ValueError, match="M must be at least 0"):
        HierarchicalLasso(2, M=-TINY)
    add_mlcl_constraint(LinearMMD(), must_link=[(0, 1)], factor=0.0)
    with pytest.raises(ValueError, match="factor must be at least 0"):
        add_mlcl_constraint(LinearMMD(), must_link=[(0, 1)], factor=-TINY)


@pytest.mark.parametrize("count, known", [(8, 8), (1, 1), (None, 1)])
def test_jobs_are_counted_from_the_processors(count, known, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: count)
    assert [_count_threads(n) for n in (None, 1, 5)] == [1, 1, 5]
    assert _count_threads(-1) == known
    assert _count_threads(-2) == max(1, known - 1)
    assert _count_threads(-99) == 1
