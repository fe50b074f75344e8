import numpy as np
import pytest
from sklearn.metrics import pairwise_distances, pairwise_kernels
from sklearn.metrics.pairwise import distance_metrics

from gemclus.affinity import (
    AffinityRows,
    DenseKernel,
    Distances,
    FactoredKernel,
    LazyAffinity,
    SampleIndices,
    cross_kernel,
    distance_affinity,
    distance_matrix,
    kernel_affinity,
)
from gemclus.affinity._few_rows import kernel_of_few

X = np.abs(np.random.RandomState(0).normal(size=(12, 2)))
KINDS = {
    "dense": lambda: DenseKernel(pairwise_kernels(X, metric="rbf")),
    "factored": lambda: FactoredKernel(X),
    "lazy kernel": lambda: kernel_affinity(X, "rbf", minibatch=True),
    "distances": lambda: distance_affinity(X, "euclidean"),
    "lazy distances": lambda: distance_affinity(X, "cosine", minibatch=True),
}


@pytest.mark.parametrize("kind", KINDS)
def test_affinities_slice_as_the_matrix_they_stand_for(kind):
    affinity = KINDS[kind]()
    full = np.asarray(affinity)
    assert affinity.shape == full.shape == (12, 12)
    idx = np.array([7, 0, 3])
    expected = full[np.ix_(idx, idx)]
    mask = np.isin(np.arange(12), idx)
    batches = [affinity[idx][:, idx], affinity[np.ix_(idx, idx)], affinity.take(idx)]
    for batch in batches:
        assert batch.shape == (3, 3)
        np.testing.assert_array_equal(batch.indices, idx)
        np.testing.assert_allclose(np.asarray(batch), expected, rtol=1e-12, atol=1e-15)
    for key in (mask, slice(2, 5), [1, -1]):
        expected = full[key][:, key]
        np.testing.assert_allclose(affinity[key][:, key], expected, atol=1e-15)
    np.testing.assert_allclose(affinity[idx], full[idx], atol=1e-15)
    np.testing.assert_allclose(affinity[2:4, 5:], full[2:4, 5:], atol=1e-15)
    np.testing.assert_allclose(affinity[idx, idx + 1], full[idx, idx + 1], atol=1e-15)
    nested = affinity.take(np.array([4, 5, 6, 7])).take(np.array([3, 1]))
    np.testing.assert_array_equal(nested.indices, [7, 5])
    np.testing.assert_allclose(nested, full[np.ix_([7, 5], [7, 5])], atol=1e-15)
    with pytest.raises(IndexError):
        affinity[np.array([12])]


def test_rows_of_an_affinity_stand_for_the_samples_of_a_fold():
    affinity = DenseKernel(X @ X.T)
    rows = affinity[np.array([1, 4, 6])]
    assert isinstance(rows, AffinityRows) and rows.shape == (3, 12)
    square = kernel_affinity(X[[1, 4, 6]], "precomputed", y=rows)
    np.testing.assert_array_equal(square, (X @ X.T)[np.ix_([1, 4, 6], [1, 4, 6])])
    # Batches of a fold are numbered within it.
    assert square.indices is None
    with pytest.raises(ValueError, match="shape"):
        kernel_affinity(X, "precomputed", y=rows)


def test_cross_validations_index_with_an_ellipsis():
    affinity = DenseKernel(X @ X.T)
    fold = np.array([1, 4, 6, 9])
    nested = affinity[fold, ...][np.array([3, 0]), ...]
    np.testing.assert_array_equal(nested.rows, [9, 1])
    np.testing.assert_array_equal(nested.square(), (X @ X.T)[np.ix_([9, 1], [9, 1])])


@pytest.mark.parametrize("given", [lambda A: A, lambda A: A[:][np.arange(12)]])
def test_precomputed_affinity_objects_keep_their_kind(given):
    factored = kernel_affinity(X, "precomputed", y=given(FactoredKernel(X)))
    assert isinstance(factored, FactoredKernel)
    metric = Distances(distance_matrix(X, "euclidean"), is_metric=True)
    distances = distance_affinity(X, "precomputed", y=given(metric))
    assert isinstance(distances, Distances) and distances.is_metric
    np.testing.assert_array_equal(distances, metric)


def test_rows_of_a_plain_matrix_are_refused_with_the_remedy():
    with pytest.raises(ValueError, match=r"\(3, 12\).*affinity.DenseKernel"):
        kernel_affinity(X[:3], "precomputed", y=(X @ X.T)[:3])
    with pytest.raises(ValueError, match=r"\(3, 12\).*affinity.Distances"):
        distance_affinity(X[:3], "precomputed", y=distance_matrix(X, "l1")[:3])


def test_sample_indices_have_positions_and_no_values():
    indices = SampleIndices(12)
    assert indices.shape == (12, 12)
    batch = indices[np.array([5, 2, 9])][:, np.array([5, 2, 9])]
    np.testing.assert_array_equal(batch.take(np.array([2, 0])).indices, [9, 5])
    with pytest.raises(TypeError, match="no affinity"):
        np.asarray(indices)


@pytest.mark.parametrize("kernel", ["rbf", lambda A, B: pairwise_kernels(A, B, "rbf")])
def test_cross_kernel(kernel):
    expected = pairwise_kernels(X[:5], X, "rbf")
    # The named kernel is computed from centred samples, so it rounds otherwise.
    np.testing.assert_allclose(cross_kernel(X[:5], X, kernel), expected, rtol=1e-13)


def test_minibatches_of_named_affinities_are_never_whole():
    class Forbidden(LazyAffinity):
        def __array__(self, dtype=None, copy=None):
            raise AssertionError("made an N x N array")

    for affinity in (KINDS["lazy kernel"](), KINDS["lazy distances"]()):
        whole, some = np.asarray(affinity), np.array([7, 2, 5])
        affinity.__class__ = Forbidden
        batch = affinity.take(some)
        rows, columns = np.arange(3), np.array([2, 0])
        found = batch.block(rows, columns)
        np.testing.assert_allclose(found, whole[np.ix_(some, some[columns])], 1e-12)


@pytest.mark.parametrize("metric", sorted(set(distance_metrics()) - {"precomputed"}))
def test_every_named_metric(metric):
    A = distance_matrix(X, metric)
    np.testing.assert_allclose(A, pairwise_distances(X, metric=metric), atol=1e-7)
    assert A.dtype == np.float64 and A.flags.c_contiguous


def test_duplicates_are_at_distance_zero():
    samples = np.vstack([X + 1e4, X + 1e4])
    A = distance_matrix(samples, "euclidean")
    np.testing.assert_array_equal(np.diag(A[:12, 12:]), 0)


def test_known_metrics_are_marked():
    assert distance_affinity(X, "manhattan").is_metric
    assert not distance_affinity(X, "cosine").is_metric
    assert not distance_affinity(X, lambda samples: X @ X.T).is_metric
    assert distance_affinity(X, "l2").take(np.arange(4)).is_metric


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (None, "None"),
        (np.zeros((12, 11)), "shape"),
        (np.zeros(12), "shape"),
        (np.full((12, 12), np.nan), "finite"),
        (np.full((12, 12), np.inf), "finite"),
        (np.full((12, 12), -1.0), "negative"),
        (np.triu(np.ones((12, 12))), "symmetric"),
    ],
)
def test_bad_precomputed_distances_are_refused(matrix, message):
    with pytest.raises(ValueError, match=message):
        distance_affinity(X, "precomputed", y=matrix)


def test_matrices_of_other_kinds_are_refused():
    with pytest.raises(TypeError, match="real numbers"):
        distance_affinity(X, "precomputed", y=np.full((12, 12), "a"))
    with pytest.raises(ValueError, match="metric must be"):
        distance_affinity(X, "hamming distance")
    with pytest.raises(TypeError, match="metric must be"):
        distance_affinity(X, 3)
    with pytest.raises(ValueError, match="metric_params"):
        distance_affinity(X, "cosine", {"colour": "red"})
    assert isinstance(distance_affinity(X, "precomputed", y=np.eye(12)), Distances)


def test_an_offset_of_the_data_does_not_spoil_the_rbf_kernel():
    shifted = np.asarray(kernel_affinity(X + 1e8, "rbf"))
    np.testing.assert_allclose(shifted, pairwise_kernels(X, metric="rbf"), atol=1e-7)
    lazy = kernel_affinity(X + 1e8, "rbf", minibatch=True)
    np.testing.assert_allclose(lazy[2:4, 5:], shifted[2:4, 5:], atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    "kernel, params",
    [
        ("linear", None),
        ("rbf", None),
        ("rbf", {"gamma": 0.3}),
        ("poly", None),
        ("polynomial", {"degree": 2, "gamma": 0.5, "coef0": 0.0}),
        ("sigmoid", {"coef0": 0.2}),
        ("cosine", None),
        ("laplacian", {"gamma": None}),
    ],
)
def test_kernels_of_few_rows_are_the_same(kernel, params, dtype):
    rng = np.random.RandomState(0)
    X, Y = rng.normal(size=(5, 4)).astype(dtype), rng.normal(size=(9, 4)).astype(dtype)
    X[0] = 0.0
    found = kernel_of_few(X, Y, kernel, params)
    tolerance = 1e-12 if dtype == np.float64 else 1e-5
    expected = cross_kernel(X, Y, kernel, params)
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


def test_kernels_of_few_rows_leave_the_rest_to_others():
    X = np.ones((3, 2))
    assert kernel_of_few(X, X, "chi2") is None
    assert kernel_of_few(X, X, "rbf", {"coef0": 1.0}) is None
    assert kernel_of_few(X, X, lambda X, Y: X @ Y.T) is None
    assert kernel_of_few(np.ones((65, 2)), X, "rbf") is None
    assert kernel_of_few(X, X, "poly", {"degree": -1, "coef0": -1}) is None
