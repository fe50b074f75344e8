"""What every wheel is tested with: all compiled modules, in a few seconds.

Needs numpy, scipy, scikit-learn and pytest, and no other file of the tests.
"""

import importlib
import pickle
import pkgutil
from importlib.machinery import EXTENSION_SUFFIXES
from inspect import isabstract, isclass, signature

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClusterMixin, clone
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score

import gemclus
from gemclus.gemini import AVAILABLE_GEMINIS


def stands_alone(cls):
    """Whether it needs no other estimator to be made."""
    return all(p.default is not p.empty for p in signature(cls).parameters.values())


def public_estimators():
    """Every clustering that a room of the package exports."""
    for room in gemclus.__all__:
        module = getattr(gemclus, room)
        for name in getattr(module, "__all__", []):
            cls = getattr(module, name)
            is_clustering = isclass(cls) and issubclass(cls, BaseEstimator)
            is_clustering = is_clustering and issubclass(cls, ClusterMixin)
            if is_clustering and not isabstract(cls) and stands_alone(cls):
                yield cls


ESTIMATORS = list(public_estimators())


@pytest.fixture
def blobs():
    return make_blobs(60, 4, centers=3, cluster_std=0.3, random_state=0)


def small(cls, **arguments):
    """An instance that trains for a moment, from a start near the blobs."""
    model = cls()
    wanted = {"solver": "adam", "max_iter": 20, "learning_rate": 0.01}
    wanted |= {"random_state": 0} | arguments
    valid = {name: wanted[name] for name in wanted if name in model.get_params()}
    return model.set_params(**valid)


def test_compiled_modules_load():
    compiled = []
    for module in pkgutil.walk_packages(gemclus.__path__, "gemclus."):
        spec = importlib.util.find_spec(module.name)
        if spec.origin.endswith(tuple(EXTENSION_SUFFIXES)):
            importlib.import_module(module.name)
            compiled.append(module.name)
    assert "gemclus._core.dispatch" in compiled


@pytest.mark.filterwarnings("ignore:The first predictions are")
@pytest.mark.parametrize("cls", ESTIMATORS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_estimators_find_blobs(cls, dtype, blobs):
    X, y = blobs
    X = X.astype(dtype)
    model = small(cls).fit(X)
    assert adjusted_rand_score(y, model.labels_) == 1.0
    twin = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(twin.predict(X), model.labels_)
    assert np.isfinite(model.score(X))
    assert not hasattr(clone(model), "labels_")


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("name", AVAILABLE_GEMINIS)
def test_objectives_rise(name, solver, blobs):
    X = (blobs[0] - blobs[0].mean()) / 5.0
    model = small(gemclus.linear.LinearModel, gemini=name, solver=solver, init="random")
    model.fit(X)
    assert model.objective_curve_[-1] > model.objective_curve_[0]
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1.0)
