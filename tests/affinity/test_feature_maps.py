"""Kernels given by a scikit-learn transformer."""

import pickle

import numpy as np
import pytest
from estimators import PUBLISHED
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.decomposition import PCA
from sklearn.kernel_approximation import Nystroem, PolynomialCountSketch, RBFSampler
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from gemclus.affinity import FactoredKernel, kernel_affinity, kernel_matrix
from gemclus.gemini import MMDGEMINI
from gemclus.linear import KernelRIM, LinearMMD, LinearModel
from gemclus.mlp import MLPMMD
from gemclus.nonparametric import CategoricalMMD
from gemclus.sparse import SparseLinearMMD, SparseMLPMMD
from gemclus.tree import Kauri

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
    mapped = cls(kernel=kernel, **PUBLISHED | settings).fit(X)
    given = cls(kernel="precomputed", **PUBLISHED | settings).fit(X, factor)
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
        LinearMMD(kernel=Odd(result), **PUBLISHED).fit(X)


def test_parameters_beside_a_transformer_are_refused():
    model = LinearMMD(kernel=Nystroem(), kernel_params={"gamma": 1.0}, **PUBLISHED)
    with pytest.raises(ValueError, match=r"kernel_params .*Nystroem.*kernel__gamma"):
        model.fit(X)


def test_integer_features_become_floats():
    affinity = kernel_affinity(X, Odd(np.arange(120).reshape(60, 2)))
    assert affinity.factor.dtype == np.float64


def test_parameters_of_the_transformer_are_searched_over():
    model = LinearModel(gemini=MMDGEMINI(kernel=Nystroem(n_components=5)), **PUBLISHED)
    model = clone(model).set_params(gemini__kernel__gamma=0.7, max_iter=2)
    assert model.fit(X).gemini.kernel.gamma == 0.7


class Counted(Nystroem):
    """Counts its fits, wherever its clones are."""

    n_fits = 0

    def fit(self, X, y=None):
        Counted.n_fits += 1
        return super().fit(X)


@pytest.mark.parametrize("n_init", [1, 3])
@pytest.mark.parametrize(
    "make",
    [
        lambda kernel, **a: LinearMMD(kernel=kernel, **PUBLISHED | a),
        lambda kernel, **a: LinearModel(
            gemini=MMDGEMINI(kernel=kernel), **PUBLISHED | a
        ),
        lambda kernel, **a: KernelRIM(base_kernel=kernel, **PUBLISHED | a),
    ],
    ids=["kernel", "gemini", "base_kernel"],
)
def test_a_map_is_fitted_once_and_kept(make, n_init):
    kernel = Counted(gamma=0.3, n_components=7)
    model = make(kernel, max_iter=3, n_init=n_init, random_state=0, **PUBLISHED)
    Counted.n_fits = 0
    model.fit(X)
    scores = {model.score(X) for _ in range(3)}
    model.predict_proba(X[:5])
    assert Counted.n_fits == 1 and len(scores) == 1
    assert isinstance(model.feature_map_, Counted) and model.feature_map_ is not kernel
    assert not hasattr(kernel, "components_")
    twin = pickle.loads(pickle.dumps(model))
    assert twin.score(X) == model.score(X)
    assert not hasattr(clone(model), "feature_map_")


def test_scores_of_new_samples_are_of_the_map_of_the_fit():
    model = LinearMMD(kernel=RBFSampler(n_components=9), max_iter=3, **PUBLISHED).fit(X)
    new = np.random.RandomState(5).normal(size=(20, 3))
    features = model.feature_map_.transform(new)
    gemini = MMDGEMINI(kernel="precomputed")
    expected = gemini.evaluate(model.predict_proba(new), features @ features.T)
    assert model.score(new) == pytest.approx(expected, rel=1e-10)


def test_another_fit_has_another_map_and_partial_fits_go_on_with_theirs():
    model = LinearMMD(
        kernel=RBFSampler(n_components=4), max_iter=2, solver="adam", init="random"
    )
    first = model.fit(X).feature_map_.random_offset_
    second = model.fit(X).feature_map_.random_offset_
    assert not np.array_equal(first, second)
    model.partial_fit(X)
    np.testing.assert_array_equal(model.feature_map_.random_offset_, second)
    model.set_params(warm_start=True).fit(X)
    np.testing.assert_array_equal(model.feature_map_.random_offset_, second)
    model.set_params(warm_start=False, kernel="linear").fit(X)
    assert not hasattr(model, "feature_map_")
    model.set_params(kernel=Nystroem())
    with pytest.raises(ValueError, match="kernel=Nystroem .*fit the model again"):
        model.score(X)


def test_a_failed_fit_leaves_the_map():
    model = LinearMMD(kernel=RBFSampler(n_components=4), max_iter=2, **PUBLISHED).fit(X)
    kept = model.feature_map_
    with pytest.raises(ValueError, match="kernel=Odd"):
        model.set_params(kernel=Odd(np.ones(3))).fit(X)
    assert model.feature_map_ is kept


def test_kernel_rim_on_features():
    kernel = Nystroem(gamma=0.3, n_components=60, random_state=0)
    mapped = KernelRIM(
        base_kernel=kernel, max_iter=30, random_state=0, **PUBLISHED
    ).fit(X)
    # With as many components as samples, it is the kernel itself.
    named = KernelRIM(
        base_kernel="rbf",
        base_kernel_params={"gamma": 0.3},
        max_iter=30,
        random_state=0,
        **PUBLISHED,
    ).fit(X)
    new = X[:7] + 0.1
    np.testing.assert_allclose(
        mapped.predict_proba(new), named.predict_proba(new), rtol=1e-6
    )
    with pytest.raises(ValueError, match=r"base_kernel_params .*base_kernel__gamma"):
        KernelRIM(
            base_kernel=kernel, base_kernel_params={"gamma": 1.0}, **PUBLISHED
        ).fit(X)
    settings = dict(batch_size=16, max_iter=3, random_state=0)
    mapped = KernelRIM(base_kernel=kernel, **PUBLISHED | settings).fit(X)
    params = {"gamma": 0.3}
    named = KernelRIM(
        base_kernel="rbf", base_kernel_params=params, **PUBLISHED | settings
    ).fit(X)
    np.testing.assert_allclose(
        mapped.predict_proba(new), named.predict_proba(new), rtol=1e-6
    )
    other = X + 1.0
    expected = (
        KernelRIM(base_kernel=kernel, **PUBLISHED | settings)
        .fit(other)
        .predict_proba(new)
    )
    np.testing.assert_array_equal(mapped.fit(other).predict_proba(new), expected)
    twin = pickle.loads(pickle.dumps(mapped))
    np.testing.assert_array_equal(twin.predict_proba(new), expected)


def test_batches_map_the_training_samples_once():
    seen = []

    class Watched(Nystroem):
        def transform(self, X):
            seen.append(len(X))
            return super().transform(X)

    kernel = Watched(gamma=0.3, n_components=9, random_state=0)
    KernelRIM(
        base_kernel=kernel, batch_size=20, max_iter=4, random_state=0, **PUBLISHED
    ).fit(X)
    # The whole for the batches, and for the labels at the end.
    assert seen.count(60) <= 2 and seen.count(20) == 12


def test_maps_of_all_features_are_refused_where_features_are_left_out():
    model = SparseLinearMMD(kernel=Nystroem(n_components=5), dynamic=True, **PUBLISHED)
    with pytest.raises(ValueError, match="dynamic=True .*kernel=Nystroem"):
        model.fit(X)


def test_an_objective_with_an_affinity_of_its_own_keeps_its_transformer():
    class Own(MMDGEMINI):
        def compute_affinity(self, X, y=None):
            features = clone(self.kernel).fit_transform(X)
            return features @ features.T

    model = LinearModel(gemini=Own(kernel=PCA(2)), max_iter=2, **PUBLISHED).fit(X)
    assert not hasattr(model, "feature_map_")


def test_float32_stays():
    model = LinearMMD(
        kernel=Nystroem(n_components=5), max_iter=2, random_state=0, **PUBLISHED
    )
    assert model.fit(X.astype(np.float32)).W_.dtype == np.float32


def test_trees_grow_on_features():
    kernel = Counted(gamma=0.3, n_components=60, random_state=0)
    Counted.n_fits = 0
    tree = Kauri(3, kernel=kernel).fit(X)
    # With as many components as samples, it is the kernel itself.
    named = Kauri(3, kernel="rbf", kernel_params={"gamma": 0.3}).fit(X)
    np.testing.assert_array_equal(tree.labels_, named.labels_)
    assert tree.score(X) == pytest.approx(named.score(X), rel=1e-9)
    new = X[:20] + 0.1
    features = tree.feature_map_.transform(new)
    expected = Kauri(kernel="precomputed").fit(X, X @ X.T)
    expected.tree_ = tree.tree_
    assert tree.score(new) == pytest.approx(expected.score(new, features @ features.T))
    assert Counted.n_fits == 1 and isinstance(tree.feature_map_, Counted)
    assert Kauri(3, kernel=MAPS["sparse"]).fit(X).labels_.shape == (60,)
    assert not hasattr(tree.set_params(kernel="linear").fit(X), "feature_map_")


def test_samples_without_weight_are_not_seen_by_the_map_of_a_tree():
    weights = np.r_[np.ones(40), np.zeros(20)]
    kernel = RBFSampler(gamma="scale", n_components=9, random_state=0)
    weighted = Kauri(3, kernel=kernel).fit(X, sample_weight=weights)
    alone = Kauri(3, kernel=kernel).fit(X[:40])
    assert weighted.feature_map_._gamma == alone.feature_map_._gamma
    np.testing.assert_array_equal(weighted.predict(X), alone.predict(X))
