"""Kernels given by a scikit-learn transformer."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.decomposition import PCA
from sklearn.kernel_approximation import Nystroem, PolynomialCountSketch, RBFSampler
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from gemclus.affinity import FactoredKernel, kernel_affinity, kernel_matrix
from gemclus.gemini import MMDGEMINI
from gemclus.linear import LinearMMD, LinearModel
from gemclus.mlp import MLPMMD
from gemclus.nonparametric import CategoricalMMD
from gemclus.sparse import SparseLinearMMD, SparseMLPMMD

X = np.random.RandomState(0).normal(size=(60, 3))
MAPS = {
    "Nystroem": Nystroem(gamma=0.3, n_components=20, random_state=0),
    "RBFSampler": RBFSampler(gamma=0.3, n_components=20, random_state=0),
    "PolynomialCountSketch": PolynomialCountSketch(degree=2, random_state=0),
    "pipeline": make_pipeline(
        StandardScaler(), Nystroem(random_state=0, n_components=9)
    ),
    "sparse": make_pipeline(PCA(1), StandardScaler(), OneHotEncoder()),
}
MODELS = [LinearMMD, MLPMMD, CategoricalMMD, SparseLinearMMD, SparseMLPMMD]


@pytest.mark.parametrize("name", MAPS)
def test_the_kernel_is_that_of_the_features(name):
    features = clone(MAPS[name]).fit_transform(X)
    expected = features @ features.T
    expected = getattr(expected, "toarray", lambda: expected)()
    affinity = kernel_affinity(X, MAPS[name])
    assert isinstance(affinity, FactoredKernel)
    np.testing.assert_allclose(affinity, expected, atol=1e-12)
    np.testing.assert_allclose(kernel_matrix(X, MAPS[name]), expected, atol=1e-12)
    matrix = MMDGEMINI(kernel=MAPS[name]).compute_affinity(X)
    assert type(matrix) is np.ndarray
    np.testing.assert_allclose(matrix, expected, atol=1e-12)
    assert not hasattr(MAPS[name], "n_features_in_")


@pytest.mark.parametrize("batch_size", [None, 16])
@pytest.mark.parametrize("cls", MODELS)
def test_models_train_as_on_the_factor(cls, batch_size):
    settings = dict(max_iter=4, random_state=0)
    if cls is not CategoricalMMD:
        settings["batch_size"] = batch_size
    kernel = MAPS["Nystroem"]
    factor = FactoredKernel(clone(kernel).fit_transform(X))
    mapped = cls(kernel=kernel, **settings).fit(X)
    given = cls(kernel="precomputed", **settings).fit(X, factor)
    np.testing.assert_array_equal(mapped.predict_proba(X), given.predict_proba(X))
    assert mapped.score(X) == given.score(X, factor)


class Odd(TransformerMixin, BaseEstimator):
    def __init__(self, result=None):
        self.result = result

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return self.result


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (np.ones((59, 2)), r"kernel=Odd must map 60 samples .*got .*\(59, 2\)"),
        (np.ones(60), r"kernel=Odd must map 60 samples .*got .*\(60,\)"),
        (np.full((60, 2), "a"), "kernel=Odd must map .*<U1"),
        (np.full((60, 2), np.nan), "kernel=Odd maps the samples to NaN or infinity"),
    ],
)
def test_bad_features_are_refused(result, message):
    with pytest.raises(ValueError, match=message):
        LinearMMD(kernel=Odd(result)).fit(X)


def test_parameters_beside_a_transformer_are_refused():
    model = LinearMMD(kernel=Nystroem(), kernel_params={"gamma": 1.0})
    with pytest.raises(ValueError, match=r"kernel_params .*Nystroem.*kernel__gamma"):
        model.fit(X)


def test_integer_features_become_floats():
    affinity = kernel_affinity(X, Odd(np.arange(120).reshape(60, 2)))
    assert affinity.factor.dtype == np.float64


def test_parameters_of_the_transformer_are_searched_over():
    model = LinearModel(gemini=MMDGEMINI(kernel=Nystroem(n_components=5)))
    model = clone(model).set_params(gemini__kernel__gamma=0.7, max_iter=2)
    assert model.fit(X).gemini.kernel.gamma == 0.7
