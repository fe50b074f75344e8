"""Distances along the data, against Floyd and Warshall."""

from functools import partial

import numpy as np
import pytest
from estimators import PUBLISHED
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.datasets import make_circles, make_moons

from gemclus.affinity import Distances, distance_affinity, geodesic_distances
from gemclus.gemini import WassersteinGEMINI
from gemclus.linear import LinearModel, LinearWasserstein
from gemclus.mlp import MLPWasserstein


def naive_geodesics(X, n_neighbors):
    """The definition, by loops over the samples."""
    N = len(X)
    lengths = np.sqrt(((X[:, None] - X[None]) ** 2).sum(axis=2))
    D = np.full((N, N), np.inf)
    for i in range(N):
        D[i, i] = 0
        others = [j for j in np.argsort(lengths[i], kind="stable") if j != i]
        for j in others[:n_neighbors]:
            D[i, j] = D[j, i] = lengths[i, j]
    for k in range(N):
        D = np.minimum(D, D[:, [k]] + D[[k]])
    longest = D[np.isfinite(D)].max()
    return np.where(np.isinf(D), 2 * longest, D)


@pytest.mark.parametrize("n_neighbors", [1, 2, 5, 39])
@pytest.mark.parametrize("n_features", [1, 2, 20])
def test_against_the_definition(n_features, n_neighbors):
    X = np.random.RandomState(0).normal(size=(40, n_features))
    D = geodesic_distances(X, n_neighbors)
    np.testing.assert_allclose(D, naive_geodesics(X, n_neighbors), rtol=1e-12)
    sparse = geodesic_distances(csr_array(X), n_neighbors)
    np.testing.assert_allclose(sparse, D, rtol=1e-12)
    # So far out, the samples themselves are rounded to 2e-9.
    shifted = geodesic_distances(X + 1e7, n_neighbors)
    np.testing.assert_allclose(shifted, D, rtol=0, atol=5e-8)


@pytest.mark.parametrize("make", [make_moons, partial(make_circles, factor=0.4)])
def test_it_is_a_metric(make):
    X, y = make(120, noise=0.03, random_state=0)
    D = geodesic_distances(X, 4)
    assert (
        (D == D.T).all()
        and (np.diag(D) == 0).all()
        and (D[~np.eye(120, dtype=bool)] > 0).all()
    )
    assert (D <= (D[:, :, None] + D[None]).min(axis=1) + 1e-12).all()
    other = y[:, None] != y
    within = D[~other].max()
    assert other.any() and (D[other] == 2 * within).all()


def test_repeated_samples_change_nothing():
    X = np.random.RandomState(1).normal(size=(30, 2))
    rows = np.random.RandomState(2).randint(30, size=300)
    rows = np.concatenate([np.arange(30), rows])
    expected = geodesic_distances(X, 3)[np.ix_(rows, rows)]
    np.testing.assert_array_equal(geodesic_distances(X[rows], 3), expected)


def test_integer_weights_are_repeated_samples():
    X = np.random.RandomState(1).normal(size=(30, 2))
    P = np.random.RandomState(2).dirichlet(np.ones(3), size=30)
    counts = np.random.RandomState(3).randint(1, 4, size=30)
    rows = np.repeat(np.arange(30), counts)
    gemini = WassersteinGEMINI(ovo=True, metric="geodesic")
    affinity = gemini.compute_affinity(X)
    weighted = gemini.evaluate(P, affinity, sample_weight=counts.astype(float))
    repeated = gemini.evaluate(P[rows], gemini.compute_affinity(X[rows]))
    assert weighted == pytest.approx(repeated, rel=1e-12)


def test_few_distinct_samples():
    assert (geodesic_distances(np.ones((7, 2)), 3) == 0).all()
    X = np.repeat([[0.0], [1.0], [5.0]], 4, axis=0)
    expected = np.abs(X - X.T)
    np.testing.assert_array_equal(geodesic_distances(X, 10), expected)
    assert geodesic_distances(np.ones((1, 2))).shape == (1, 1)


def test_permuted_samples_have_permuted_distances():
    X = np.random.RandomState(3).normal(size=(50, 2))
    order = np.random.RandomState(4).permutation(50)
    D = geodesic_distances(X, 5)
    np.testing.assert_allclose(
        geodesic_distances(X[order], 5), D[np.ix_(order, order)], rtol=1e-14
    )


@pytest.mark.parametrize(
    ("n_neighbors", "error", "message"),
    [
        (40, ValueError, "n_neighbors .*less than the 40 samples, got 40"),
        (0, ValueError, "n_neighbors .*at least 1"),
        (2.5, TypeError, "n_neighbors .*int"),
    ],
)
def test_bad_numbers_of_neighbours_are_refused(n_neighbors, error, message):
    X = np.random.RandomState(0).normal(size=(40, 2))
    model = LinearWasserstein(
        metric="geodesic", metric_params={"n_neighbors": n_neighbors}
    )
    with pytest.raises(error, match=message):
        model.fit(X)


def test_parameters_are_named():
    X = np.random.RandomState(0).normal(size=(40, 2))
    with pytest.raises(ValueError, match=r"metric_params .*'geodesic'.*n_neighbors"):
        distance_affinity(X, "geodesic", {"radius": 1.0})
    with pytest.raises(ValueError, match="less than the 5 samples, got 10"):
        distance_affinity(X[:5], "geodesic")


def test_batches_take_rows_of_the_whole():
    X, _ = make_moons(80, random_state=0)
    whole = distance_affinity(X, "geodesic", minibatch=True)
    assert isinstance(whole, Distances) and whole.is_metric
    batch = np.array([5, 60, 33])
    expected = geodesic_distances(X)[np.ix_(batch, batch)]
    np.testing.assert_array_equal(whole.take(batch), expected)
    assert whole.take(batch).is_metric
    model = LinearWasserstein(
        2, metric="geodesic", batch_size=16, max_iter=3, random_state=0, **PUBLISHED
    )
    assert model.fit(X).labels_.shape == (80,)


def test_scores_are_of_the_graph_of_their_samples():
    X, _ = make_moons(120, noise=0.05, random_state=0)
    params = {"n_neighbors": 4}
    model = MLPWasserstein(
        2,
        metric="geodesic",
        metric_params=params,
        max_iter=5,
        random_state=0,
        **PUBLISHED,
    ).fit(X[:80])
    gemini = WassersteinGEMINI()
    new = gemini.evaluate(model.predict_proba(X[80:]), geodesic_distances(X[80:], 4))
    assert model.score(X[80:]) == pytest.approx(new, rel=1e-12)
    nested = LinearModel(
        2, gemini=WassersteinGEMINI(metric="geodesic"), max_iter=2, **PUBLISHED
    )
    assert clone(nested).fit(X).score(X) >= 0


@pytest.mark.parametrize("make", [make_moons, make_circles])
def test_clusters_of_any_shape_are_found(make):
    X, y = make(
        200,
        noise=0.02,
        random_state=0,
        **({"factor": 0.5} if make is make_circles else {}),
    )
    model = MLPWasserstein(
        2, ovo=True, metric="geodesic", solver="lbfgs", init=y, random_state=0
    )
    labels = model.fit(X).labels_
    assert (labels == y).all()
