"""k-means++ in the geometry of kernels and distances."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.cluster import kmeans_plusplus
from sklearn.datasets import make_blobs, make_moons
from sklearn.metrics import adjusted_rand_score, pairwise_distances_argmin
from sklearn.metrics.pairwise import rbf_kernel

from gemclus.affinity import (
    DenseKernel,
    FactoredKernel,
    LazyAffinity,
    MatrixAffinity,
    SampleIndices,
    SparseKernel,
    _seeding,
    distance_affinity,
    kernel_affinity,
    seed_labels,
)
from gemclus.affinity._seeding import (
    SEEDING_SAMPLES,
    _candidates,
    _squared_distances,
)

X, Y = make_blobs(90, centers=[[0, 0], [30, 0], [0, 30]], random_state=0)
AFFINITIES = {
    "none": lambda X: None,
    "indices": lambda X: SampleIndices(len(X)),
    "a user's": lambda X: MatrixAffinity(
        np.random.RandomState(0).normal(size=(90, 90))
    ),
    "factored": lambda X: kernel_affinity(X, "linear"),
    "sparse factor": lambda X: FactoredKernel(csr_array(X)),
    "dense": lambda X: DenseKernel(X @ X.T),
    "sparse": lambda X: SparseKernel(csr_array(rbf_kernel(X) + np.eye(len(X)))),
    "lazy": lambda X: kernel_affinity(X, "rbf", {"gamma": 0.01}, minibatch=True),
    "distances": lambda X: distance_affinity(X, "l1"),
    "lazy distances": lambda X: distance_affinity(X, "l1", minibatch=True),
    "geodesic": lambda X: distance_affinity(X, "geodesic"),
}


@pytest.mark.parametrize("kind", sorted(AFFINITIES.keys() - {"sparse"}))
def test_separated_blobs_are_found(kind):
    affinity = AFFINITIES[kind](X)
    for seed in range(3):
        labels = seed_labels(affinity, X, 3, np.random.RandomState(seed))
        assert labels.dtype.kind == "i"
        assert adjusted_rand_score(Y, labels) == 1


def test_without_an_affinity_it_is_the_seeding_of_scikit_learn():
    centres, _ = kmeans_plusplus(
        X, 4, random_state=np.random.RandomState(5), n_local_trials=20
    )
    labels = seed_labels(None, X, 4, np.random.RandomState(5))
    np.testing.assert_array_equal(labels, pairwise_distances_argmin(X, centres))


def naive_seeding(squares, mass, n_clusters, n_trials, random_state):
    """Greedy k-means++ by its definition, with the same draws."""

    def drawn(mass, size):
        u = random_state.uniform(size=size) * np.cumsum(mass)[-1]
        return [int(np.argmax(np.cumsum(mass) > value)) for value in u]

    centres = drawn(mass, 1)
    while len(centres) < n_clusters:
        nearest = squares[:, centres].min(axis=1)
        trials = drawn(mass * nearest, n_trials)
        costs = [mass @ squares[:, [*centres, t]].min(axis=1) for t in trials]
        centres.append(trials[int(np.argmin(costs))])
    return squares[:, centres].argmin(axis=1)


@pytest.mark.parametrize("at_once", [_seeding._AT_ONCE, 3 * 90])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", ["dense", "lazy", "sparse", "distances", "geodesic"])
def test_against_the_definition(kind, weighted, at_once, monkeypatch):
    monkeypatch.setattr(_seeding, "_AT_ONCE", at_once)
    affinity = AFFINITIES[kind](X)
    A = np.asarray(affinity)
    squares = np.diag(A)[:, None] + np.diag(A) - 2 * A
    if kind in ("distances", "geodesic"):
        squares = A**2
    mass = np.random.RandomState(1).uniform(0.5, 3, size=90) if weighted else None
    for seed in range(5):
        labels = seed_labels(affinity, X, 5, np.random.RandomState(seed), mass)
        given = np.ones(90) if mass is None else mass
        expected = naive_seeding(squares, given, 5, 20, np.random.RandomState(seed))
        np.testing.assert_array_equal(labels, expected)


@pytest.mark.parametrize("kind", ["none", "dense", "lazy", "distances"])
def test_integer_weights_are_repeated_samples(kind):
    counts = np.random.RandomState(1).randint(1, 4, size=90)
    rows = np.repeat(np.arange(90), counts)
    weights = counts.astype(np.float64)
    for seed in range(5):
        labels = seed_labels(
            AFFINITIES[kind](X),
            X,
            6,
            np.random.RandomState(seed),
            weights.astype(float),
        )
        affinity = AFFINITIES[kind](X[rows])
        repeated = seed_labels(affinity, X[rows], 6, np.random.RandomState(seed))
        np.testing.assert_array_equal(labels[rows], repeated)


@pytest.mark.parametrize("kind", ["none", "dense", "lazy distances"])
def test_samples_without_weight_are_no_centres(kind):
    weights = np.where(Y == 2, 0.0, 1.0)
    affinity = AFFINITIES[kind](X)
    for seed in range(5):
        labels = seed_labels(affinity, X, 2, np.random.RandomState(seed), weights)
        assert adjusted_rand_score(Y[Y != 2], labels[Y != 2]) == 1
    # Candidates of large data are drawn among the samples that have a weight.
    labels = seed_labels(
        affinity, X, 2, np.random.RandomState(0), weights, max_samples=40
    )
    assert adjusted_rand_score(Y[Y != 2], labels[Y != 2]) == 1


@pytest.mark.parametrize("kind", [np.asarray, csr_array])
def test_large_data_are_seeded_from_a_part(kind):
    many, y = make_blobs(SEEDING_SAMPLES + 5000, cluster_std=0.3, random_state=0)
    for affinity in (None, kernel_affinity(kind(many), "linear")):
        labels = seed_labels(affinity, kind(many), 3, np.random.RandomState(0))
        assert adjusted_rand_score(labels, y) > 0.98


def test_large_data_are_seeded_from_some_samples_alone():
    seen = []

    class Counted(LazyAffinity):
        def block(self, rows, columns):
            seen.append((len(rows), len(columns)))
            return super().block(rows, columns)

    many = np.repeat(X, 20, axis=0) + np.random.RandomState(0).normal(size=(1800, 2))
    affinity = kernel_affinity(many, "rbf", {"gamma": 0.01}, minibatch=True)
    affinity.__class__ = Counted
    labels = seed_labels(affinity, many, 3, np.random.RandomState(0), max_samples=100)
    assert adjusted_rand_score(np.repeat(Y, 20), labels) == 1
    assert max(rows for rows, columns in seen if columns == 20) == 100
    assert max(rows * columns for rows, columns in seen) <= 1800 * 3


@pytest.mark.parametrize("kind", ["none", "dense", "distances"])
def test_fewer_distinct_samples_than_clusters(kind):
    same = np.repeat([[0.0, 0.0], [9.0, 9.0]], 45, axis=0)
    labels = seed_labels(AFFINITIES[kind](same), same, 4, np.random.RandomState(0))
    assert adjusted_rand_score(np.repeat([0, 1], 45), labels) == 1
    assert labels.min() >= 0 and labels.max() < 4


def test_indefinite_kernels_are_seeded():
    """Negative squares of distances count as 0."""
    A = np.random.RandomState(0).normal(size=(90, 90))
    A += A.T
    squares = np.maximum(np.diag(A)[:, None] + np.diag(A) - 2 * A, 0.0)
    assert (squares == 0).mean() > 0.2
    for seed in range(5):
        labels = seed_labels(DenseKernel(A), X, 3, np.random.RandomState(seed))
        draws = np.random.RandomState(seed)
        expected = naive_seeding(squares, np.ones(90), 3, 20, draws)
        np.testing.assert_array_equal(labels, expected)


def test_kernel_distances_separate_what_euclidean_ones_do_not():
    moons, y = make_moons(300, noise=0.03, random_state=0)
    geodesic = distance_affinity(moons, "geodesic")
    aris = {"geodesic": [], "euclidean": []}
    for seed in range(5):
        for name, affinity in (("geodesic", geodesic), ("euclidean", None)):
            labels = seed_labels(affinity, moons, 2, np.random.RandomState(seed))
            aris[name].append(adjusted_rand_score(y, labels))
    assert min(aris["geodesic"]) == 1
    assert max(aris["euclidean"]) < 0.8


@pytest.mark.parametrize("lazy", [False, True])
def test_seedings_in_a_metric_look_at_squares_of_its_distances(lazy):
    samples = np.random.RandomState(0).normal(size=(30, 2))
    affinity = distance_affinity(samples, "manhattan", minibatch=lazy)
    rows, columns = np.array([3, 0, 29]), np.array([1, 17])
    distances = np.abs(samples[rows][:, None] - samples[columns]).sum(axis=2)
    squares = _squared_distances(affinity)(rows, columns)
    np.testing.assert_allclose(squares, distances**2, rtol=1e-12)


@pytest.mark.parametrize("most", [10, 3])
def test_rows_of_no_weight_are_no_centres(most):
    weights = np.array([0.0, 2.0, 0.0, 0.0, 1.0, 1.0, 0.0, 3.0, 0.0, 1.0])
    chosen = _candidates(10, weights, most, np.random.RandomState(0))
    assert len(chosen) == min(most, 5)
    assert (weights[chosen] > 0.0).all()
