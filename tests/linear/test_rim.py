"""Regularised information maximisation: published runs, penalties, kernels."""

import numpy as np
import pandas as pd
import pytest
from estimators import PUBLISHED
from scipy.sparse import csr_array, issparse
from scipy.special import softmax
from sklearn.datasets import make_blobs, make_circles
from sklearn.metrics import adjusted_rand_score
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.preprocessing import StandardScaler

from gemclus.affinity import SampleIndices
from gemclus.gemini import ChiSquareGEMINI
from gemclus.linear import RIM, KernelRIM, LinearModel, _rim


def circles(seed, factor=0.1):
    X, y = make_circles(n_samples=200, noise=0.05, factor=factor, random_state=seed)
    return StandardScaler().fit_transform(X), y


@pytest.fixture
def X():
    return np.random.RandomState(0).normal(size=(20, 3))


def test_rim_reproduces_the_published_run():
    X, _ = make_blobs(centers=3, cluster_std=0.5, n_samples=200, random_state=0)
    model = RIM(n_clusters=3, reg=0.1, random_state=0, **PUBLISHED).fit(X)
    assert model.score(X) == pytest.approx(0.448653848, rel=1e-6)


def test_rim_curve_has_the_penalty_and_the_score_has_not(X):
    model = RIM(
        reg=0.2, max_iter=1, learning_rate=1e-12, random_state=0, **PUBLISHED
    ).fit(X)
    penalty = 0.2 * (model.W_**2).sum()
    assert model.objective_curve_[0] == pytest.approx(model.score(X) - penalty)


def test_rim_shrinks_weights():
    X, _ = make_blobs(centers=3, n_samples=60, random_state=0)
    norms = [
        np.linalg.norm(
            RIM(reg=reg, solver="lbfgs", random_state=0, init="random").fit(X).W_
        )
        for reg in (1e-3, 1e-1, 1e1)
    ]
    assert norms[0] > norms[1] > norms[2]


@pytest.mark.parametrize("cls", [RIM, KernelRIM])
@pytest.mark.parametrize(("reg", "error"), [(-0.1, ValueError), ("a", TypeError)])
def test_reg_is_checked(cls, reg, error, X):
    with pytest.raises(error, match="reg"):
        cls(reg=reg, **PUBLISHED).fit(X)


def test_kernel_rim_reproduces_the_published_run():
    X, y = circles(0)
    model = KernelRIM(
        n_clusters=2, base_kernel="rbf", reg=0, random_state=0, **PUBLISHED
    ).fit(X)
    assert adjusted_rand_score(y, model.labels_) == 1.0
    new, y_new = circles(1)
    assert adjusted_rand_score(y_new, model.predict(new)) == 1.0


@pytest.mark.parametrize("batch_size, seed", [(None, 0), (None, 1), (50, 0)])
def test_kernel_rim_separates_circles_by_default(batch_size, seed):
    X, y = circles(0)
    model = KernelRIM(
        n_clusters=2,
        base_kernel="rbf",
        batch_size=batch_size,
        random_state=seed,
        **PUBLISHED,
    ).fit(X)
    assert adjusted_rand_score(y, model.labels_) == 1.0


def test_kernel_rim_penalty_of_all_samples(X):
    model = KernelRIM(
        reg=0.7, base_kernel="rbf", max_iter=3, random_state=0, **PUBLISHED
    ).fit(X)
    kappa = rbf_kernel(X)
    expected = 0.7 * np.trace(model.W_.T @ kappa @ model.W_) / len(X)
    assert model._smooth_penalty(X) == pytest.approx(expected)


def test_kernel_rim_penalty_of_batches_averages_to_the_whole(X):
    model = KernelRIM(
        reg=0.7, base_kernel="rbf", max_iter=3, random_state=0, **PUBLISHED
    ).fit(X)
    whole = model._smooth_penalty(X)
    order = np.random.RandomState(1).permutation(len(X))
    penalties = []
    for batch in order.reshape(4, 5):
        samples = X[batch]
        model._enter_batch(samples, SampleIndices(len(X)).take(batch))
        penalties.append(model._smooth_penalty(samples))
    assert np.ptp(penalties) > 1e-3
    assert np.mean(penalties) == pytest.approx(whole)


def test_kernel_rim_computes_the_rows_of_a_batch_alone(X):
    shapes = set()

    def kernel(A, B):
        shapes.add((len(A), len(B)))
        return rbf_kernel(A, B)

    KernelRIM(base_kernel=kernel, batch_size=8, max_iter=2, **PUBLISHED).fit(X)
    assert shapes == {(8, 20), (4, 20), (20, 20)}


def test_kernel_rim_computes_the_kernel_once_without_batches(X):
    calls = []

    def kernel(A, B):
        calls.append(len(A))
        return rbf_kernel(A, B)

    model = KernelRIM(base_kernel=kernel, max_iter=5, **PUBLISHED).fit(X)
    # Once for the training, and once for the labels.
    assert calls == [20, 20]
    assert "_retained" not in vars(model)


def test_kernel_rim_callable_equals_the_name(X):
    first = KernelRIM(base_kernel="rbf", max_iter=5, random_state=0, **PUBLISHED).fit(X)
    second = KernelRIM(
        base_kernel=rbf_kernel, max_iter=5, random_state=0, **PUBLISHED
    ).fit(X)
    # The named kernel is computed from centred samples, so it rounds otherwise.
    np.testing.assert_allclose(first.W_, second.W_, rtol=1e-9)


def test_kernel_rim_takes_lists_and_frames(X):
    first = KernelRIM(base_kernel="rbf", max_iter=5, random_state=0, **PUBLISHED).fit(X)
    for data in (X.tolist(), pd.DataFrame(X, columns=["a", "b", "c"])):
        model = KernelRIM(
            base_kernel="rbf", max_iter=5, random_state=0, **PUBLISHED
        ).fit(data)
        np.testing.assert_array_equal(model.predict_proba(data), first.predict_proba(X))


def test_kernel_rim_keeps_its_own_copy(X):
    model = KernelRIM(base_kernel="rbf", max_iter=5, random_state=0, **PUBLISHED).fit(X)
    before = model.predict_proba(X)
    data = X.copy()
    X += 1.0
    np.testing.assert_array_equal(model.input_data_, data)
    np.testing.assert_array_equal(model.predict_proba(data), before)


def test_kernel_rim_by_lbfgs():
    X, _y = circles(0)
    model = KernelRIM(
        n_clusters=2, base_kernel="rbf", solver="lbfgs", random_state=0, init="random"
    )
    adam = KernelRIM(n_clusters=2, base_kernel="rbf", random_state=0, **PUBLISHED)
    assert model.fit(X).objective_curve_[-1] >= adam.fit(X).objective_curve_[-1]


def test_kernel_rim_refuses_other_samples_in_partial_fit(X):
    model = (
        KernelRIM(base_kernel="rbf", random_state=0, **PUBLISHED)
        .partial_fit(X)
        .partial_fit(X)
    )
    assert model.n_iter_ == 2
    with pytest.raises(ValueError, match="partial_fit"):
        model.partial_fit(X[:10])


@pytest.mark.parametrize(
    ("base_kernel", "params", "error", "message"),
    [
        ("rbff", None, ValueError, "base_kernel must be .*got 'rbff'"),
        (3, None, TypeError, "base_kernel must be .*got 3"),
        ("precomputed", None, ValueError, "base_kernel must be .*'precomputed'"),
        ("rbf", {"gama": 1}, ValueError, "base_kernel_params"),
        (lambda A, B: np.ones((3, 3)), None, ValueError, "shape"),
        (lambda A, B: np.full((len(A), len(B)), np.nan), None, ValueError, "finite"),
    ],
)
def test_kernel_rim_checks_its_kernel(base_kernel, params, error, message, X):
    with pytest.raises(error, match=message):
        KernelRIM(base_kernel=base_kernel, base_kernel_params=params, **PUBLISHED).fit(
            X
        )


def test_kernel_rim_takes_csr(X):
    X[X < 0] = 0.0
    arguments = dict(base_kernel="rbf", max_iter=5, batch_size=8, random_state=0)
    dense = KernelRIM(**PUBLISHED | arguments).fit(X)
    model = KernelRIM(**PUBLISHED | arguments).fit(csr_array(X))
    np.testing.assert_allclose(model.W_, dense.W_, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(
        model.predict_proba(csr_array(X)), dense.predict_proba(X), rtol=1e-6
    )
    assert issparse(model.input_data_)


def test_a_linear_model_on_the_kernel_matrix_separates_circles():
    X, y = circles(0)
    model = LinearModel(
        n_clusters=2, gemini=ChiSquareGEMINI(), random_state=0, **PUBLISHED
    )
    assert adjusted_rand_score(y, model.fit_predict(rbf_kernel(X))) == 1.0


def test_kernel_rim_of_many_samples_searches_functions_of_few(monkeypatch):
    X, y = circles(0)
    whole = KernelRIM(2, base_kernel="rbf", random_state=0).fit(X)
    monkeypatch.setattr(_rim, "_MOST_PIVOTS", 12)
    model = KernelRIM(2, base_kernel="rbf", random_state=0).fit(X)
    assert np.count_nonzero(np.abs(model.W_).sum(axis=1)) == 12
    assert adjusted_rand_score(y, model.labels_) == 1.0
    # The value of a curve is that of the weights, by the formula.
    kappa = rbf_kernel(X, gamma=1.0 / X.shape[1])
    penalty = 0.1 * np.trace(model.W_.T @ kappa @ model.W_) / len(X)
    value = model.score(X) - penalty
    assert model.objective_curve_[-1] == pytest.approx(value, abs=1e-6)
    assert value < whole.objective_curve_[-1] < value * 1.02
    np.testing.assert_allclose(
        model.predict_proba(X), softmax(kappa @ model.W_ + model.b_, axis=1), atol=1e-9
    )
