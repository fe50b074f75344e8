"""The tests of every wheel: all compiled modules, in a few seconds.

Needs numpy, scipy, scikit-learn and pytest, and of the tests `support/clusterers.py`.
"""

import importlib
import pickle
import pkgutil
from importlib.machinery import EXTENSION_SUFFIXES

import numpy as np
import pytest
from clusterers import ESTIMATORS, small
from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score

import gemclus
from gemclus.gemini import AVAILABLE_GEMINIS


@pytest.fixture
def blobs():
    return make_blobs(60, 4, centers=3, cluster_std=0.3, random_state=0)


def test_compiled_modules_load():
    compiled = []
    for module in pkgutil.walk_packages(gemclus.__path__, "gemclus."):
        spec = importlib.util.find_spec(module.name)
        if spec.origin.endswith(tuple(EXTENSION_SUFFIXES)):
            importlib.import_module(module.name)
            compiled.append(module.name)
    assert "gemclus._core.dispatch" in compiled


@pytest.mark.filterwarnings("ignore:The first predictions are")
# Sparse models of few epochs; wheels are tested without the settings of the project.
@pytest.mark.filterwarnings("ignore:All .* features are selected with alpha")
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
