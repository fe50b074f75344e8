"""Names of scikit-learn that the models have, and what they mean."""

import numpy as np
import pytest
from clusterers import small
from estimators import GRADIENT_MODELS, PUBLISHED
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from gemclus import DiscriminativeModel
from gemclus._common.validation import check_samples
from gemclus._training.centres import ClusterMeans
from gemclus.linear import KernelRIM, LinearMMD, LinearModel
from gemclus.mlp import MLPMMD
from gemclus.sparse import SparseLinearMMD, SparseMLPModel
from gemclus.tree import Kauri

ESTIMATORS = [*GRADIENT_MODELS, Kauri]

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
every_estimator = pytest.mark.parametrize("cls", ESTIMATORS)


def samples(n=40, n_features=4, seed=0):
    return np.random.RandomState(seed).normal(size=(n, n_features))


@every_estimator
def test_clusters_used(cls):
    model = small(cls).fit(samples())
    assert model.n_clusters_ == len(np.unique(model.labels_))
    assert not hasattr(clone(model), "n_clusters_")


@every_estimator
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_centres_are_weighted_means(cls, dtype):
    X = (samples() + 0.5).astype(dtype)
    model = small(cls, n_clusters=3, max_clusters=3).fit(X)
    if cls is Kauri:
        P = np.eye(model.n_clusters_)[model.labels_]
    else:
        P = model.predict_proba(X).astype(np.float64)
    expected = P.T @ X.astype(np.float64) / P.sum(axis=0)[:, None]
    assert model.cluster_centers_.dtype == np.float64
    np.testing.assert_allclose(model.cluster_centers_, expected, rtol=1e-10)


@every_estimator
def test_centres_with_weights_are_those_of_repeated_samples(cls):
    X = samples() + 0.5
    times = np.random.RandomState(0).randint(0, 4, size=len(X))
    model = small(cls, n_clusters=3, max_clusters=3).fit(X, sample_weight=1e3 * times)
    if cls is Kauri:
        P = np.eye(model.n_clusters_)[model.labels_]
    else:
        P = model.predict_proba(X)
    rows = np.repeat(np.arange(len(X)), times)
    expected = P[rows].T @ X[rows] / P[rows].sum(axis=0)[:, None]
    np.testing.assert_allclose(model.cluster_centers_, expected, rtol=1e-10)
    if hasattr(model, "partial_fit"):
        model.partial_fit(X, sample_weight=times)
        P = model.predict_proba(X)
        expected = P[rows].T @ X[rows] / P[rows].sum(axis=0)[:, None]
        np.testing.assert_allclose(model.cluster_centers_, expected, rtol=1e-10)


def test_centres_of_blocks_and_of_sparse_samples():
    X = samples(50_000, 3)
    model = LinearMMD(n_clusters=10, max_iter=2, random_state=0, **PUBLISHED).fit(X)
    P = model.predict_proba(X)
    expected = P.T @ X / P.sum(axis=0)[:, None]
    np.testing.assert_allclose(model.cluster_centers_, expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(model.labels_, P.argmax(axis=1))
    weights = np.random.RandomState(0).uniform(size=len(X))
    model.fit(X, sample_weight=weights)
    P = model.predict_proba(X) * weights[:, None]
    expected = P.T @ X / P.sum(axis=0)[:, None]
    np.testing.assert_allclose(model.cluster_centers_, expected, rtol=1e-9, atol=1e-12)
    X = np.maximum(samples(), 0.0)
    dense = LinearMMD(max_iter=5, random_state=0, **PUBLISHED).fit(X)
    sparse = LinearMMD(max_iter=5, random_state=0, **PUBLISHED).fit(csr_array(X))
    np.testing.assert_allclose(dense.cluster_centers_, sparse.cluster_centers_)


def test_a_cluster_without_mass_has_the_mean_of_all():
    means = ClusterMeans(2, 1)
    means.add(np.array([[1.0], [3.0]]), np.array([[1.0, 0.0], [1.0, 0.0]]))
    np.testing.assert_array_equal(means.value(), [[2.0], [2.0]])


@pytest.mark.parametrize("cls", [c for c in ESTIMATORS if c is not Kauri])
def test_transform_gives_probabilities_or_selects(cls):
    X = samples()
    model = small(cls).fit(X)
    names = model.get_feature_names_out()
    if hasattr(model, "get_support"):
        np.testing.assert_array_equal(model.transform(X), X[:, model.get_support()])
        assert len(names) == model.get_support().sum()
        return
    np.testing.assert_array_equal(model.transform(X), model.predict_proba(X))
    stem = cls.__name__.lower()
    assert list(names) == [f"{stem}{k}" for k in range(3)]
    np.testing.assert_array_equal(small(cls).fit_transform(X), model.transform(X))


def test_derived_models_follow():
    class Shifted(LinearModel):
        def _infer(self, X, retain=True):
            return super()._infer(X + 1.0, retain)

    model = Shifted(max_iter=3, random_state=0, **PUBLISHED).fit(samples())
    np.testing.assert_array_equal(
        model.transform(samples()), model.predict_proba(samples())
    )
    assert list(model.get_feature_names_out()) == ["shifted0", "shifted1", "shifted2"]


def test_coefficients():
    X = samples()
    for model in (
        LinearModel(max_iter=3, **PUBLISHED),
        SparseLinearMMD(max_iter=3, **PUBLISHED),
    ):
        assert not hasattr(model, "coef_") and not hasattr(model, "intercept_")
        model.fit(X)
        logits = X @ model.coef_.T + model.intercept_
        P = np.exp(logits - logits.max(axis=1, keepdims=True))
        P /= P.sum(axis=1, keepdims=True)
        np.testing.assert_allclose(model.predict_proba(X), P)
    model = KernelRIM(max_iter=3, **PUBLISHED).fit(X)
    assert not hasattr(model, "coef_") and not hasattr(model, "intercept_")


def test_importances_of_sparse_networks():
    model = SparseMLPModel(max_iter=5, random_state=0, **PUBLISHED)
    assert not hasattr(model, "feature_importances_")
    model.fit(samples())
    norms = np.sqrt((model.W_skip_**2).sum(axis=1))
    np.testing.assert_allclose(model.feature_importances_, norms / norms.sum())
    model.W_skip_[:] = 0.0
    np.testing.assert_array_equal(model.feature_importances_, np.zeros(4))


# New samples, recognised at once


def test_new_samples_that_fit_are_taken_as_they_are():
    X = samples()
    model = LinearMMD(max_iter=2, **PUBLISHED).fit(X)
    options = {"reset": False, "dtype": [np.float64, np.float32], "order": "C"}
    assert check_samples(model, X, **options) is X
    read_only = X.copy()
    read_only.flags.writeable = False
    assert check_samples(model, read_only, **options) is read_only
    for other in (X.tolist(), np.asfortranarray(X), X.astype(np.float16), X[::2].T.T):
        taken = check_samples(model, other, **options)
        assert taken.flags.c_contiguous and taken.dtype in (np.float64, np.float32)


@pytest.mark.parametrize("cls", [LinearMMD, MLPMMD, Kauri])
@pytest.mark.parametrize(
    "bad, error, match",
    [
        (np.full((1, 4), np.inf), ValueError, "infinity"),
        (np.ones((1, 3)), ValueError, "3 features.*4 features"),
        (np.ones(4), ValueError, "Expected 2D array"),
        (np.ones((0, 4)), ValueError, "minimum of 1"),
        (np.full((1, 4), "a"), ValueError, "numbers"),
    ],
)
def test_new_samples_that_do_not_fit_are_refused_as_ever(cls, bad, error, match):
    model = small(cls).fit(samples())
    with pytest.raises(error, match=match):
        model.predict(bad)
    with pytest.raises(NotFittedError):
        small(cls).predict(samples())


def test_a_model_of_a_frame_warns_of_arrays():
    pd = pytest.importorskip("pandas")
    model = LinearMMD(max_iter=2, **PUBLISHED).fit(
        pd.DataFrame(samples(), columns=list("abcd"))
    )
    with pytest.warns(UserWarning, match="valid feature names"):
        model.predict(samples())


def test_a_base_class_is_not_fitted():
    with pytest.raises(NotFittedError):
        check_is_fitted(DiscriminativeModel())


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_every_estimator_leads_to_its_page(cls):
    """The question mark of its representation in a notebook."""
    page = f"api/generated/{cls.__module__}.{cls.__name__}.html"
    html = small(cls)._repr_html_()
    assert f"https://gemclus.github.io/gemclus/{page}" in html
    derived = type("Derived", (cls,), {"__module__": "elsewhere"})
    assert "Derived.html" not in small(derived)._repr_html_()
