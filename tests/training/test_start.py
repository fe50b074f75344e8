"""Starts of trainings: the labels, and how far they lead."""

import numpy as np
import pytest
from sklearn.datasets import load_wine, make_blobs, make_circles, make_moons
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import StandardScaler

from gemclus._training.start import starting_labels
from gemclus._training.task import make_task
from gemclus.affinity import Distances, geodesic_distances, seed_labels
from gemclus.linear import RIM, LinearMMD, LinearModel, LinearWasserstein
from gemclus.mlp import MLPMMD, MLPWasserstein
from gemclus.nonparametric import CategoricalModel, CategoricalWasserstein

WINE = StandardScaler().fit_transform(load_wine().data)
X, Y = make_blobs(60, centers=[[0, 0], [8, 0], [0, 8]], random_state=0)
AT_START = dict(solver="adam", max_iter=1, learning_rate=1e-300, random_state=0)


@pytest.mark.parametrize(
    "model",
    [
        LinearMMD(kernel="rbf"),
        LinearWasserstein(metric="l1"),
        LinearWasserstein(metric="geodesic"),
        RIM(),
        LinearMMD(kernel="rbf", batch_size=20),
    ],
)
def test_seeds_are_of_the_geometry_of_the_objective(model):
    task = make_task(model, WINE)
    labels = starting_labels("k-means++", task, 5, np.random.RandomState(3))
    affinity = model.get_gemini().compute_affinity(WINE)
    euclidean = seed_labels(None, WINE, 5, np.random.RandomState(3))
    if affinity is None:
        np.testing.assert_array_equal(labels, euclidean)
        return
    expected = seed_labels(task.affinity, WINE, 5, np.random.RandomState(3))
    np.testing.assert_array_equal(labels, expected)
    assert not np.array_equal(labels, euclidean)


def test_precomputed_kernels_seed():
    kernel = np.equal.outer(Y, Y).astype(float)
    noise = np.random.RandomState(0).normal(size=(60, 2))
    task = make_task(LinearMMD(3, kernel="precomputed"), noise, kernel)
    labels = starting_labels("k-means++", task, 3, np.random.RandomState(0))
    assert adjusted_rand_score(labels, Y) == 1


@pytest.mark.parametrize("make", [make_moons, make_circles])
@pytest.mark.parametrize("seed", range(3))
def test_clusters_of_any_shape_are_found_and_predicted(make, seed):
    shape = {} if make is make_moons else {"factor": 0.5}
    samples, y = make(500, noise=0.05, random_state=seed, **shape)
    new, y_new = make(500, noise=0.05, random_state=seed + 50, **shape)
    model = MLPWasserstein(
        2,
        ovo=True,
        metric="geodesic",
        solver="lbfgs",
        init="k-means++",
        random_state=seed,
    ).fit(samples)
    assert adjusted_rand_score(y, model.labels_) == 1
    assert adjusted_rand_score(y_new, model.predict(new)) >= 0.98


def test_free_logits_find_them_as_well():
    samples, y = make_moons(500, noise=0.05, random_state=0)
    model = CategoricalWasserstein(
        2, ovo=True, metric="geodesic", solver="lbfgs", init="k-means++", random_state=0
    )
    assert adjusted_rand_score(y, model.fit(samples).labels_) == 1


@pytest.mark.parametrize("cls", [LinearMMD, MLPMMD, RIM, CategoricalModel])
def test_unknown_labels_do_not_lead(cls):
    known = np.array([0, 1, 20, 33, 47, 58])
    init = np.full(60, -1)
    init[known] = Y[known]
    model = cls(3, init=init, **AT_START).fit(X)
    np.testing.assert_array_equal(model.labels_[known], Y[known])
    turned = init.copy()
    turned[known] = (Y[known] + 1) % 3
    model = cls(3, init=turned, **AT_START).fit(X)
    np.testing.assert_array_equal(model.labels_[known], turned[known])


def test_known_labels_alone_are_as_those_samples_alone():
    known = np.arange(0, 60, 3)
    init = np.full(60, -1)
    init[known] = Y[known]
    settings = {"gemini": "mi"} | AT_START
    partly = LinearModel(3, init=init, **settings).fit(X)
    alone = LinearModel(3, init=Y[known], **settings).fit(X[known])
    np.testing.assert_allclose(
        partly.predict_proba(X), alone.predict_proba(X), atol=1e-8
    )


@pytest.mark.parametrize(
    ("label", "message"),
    [(-2, "0 to 2, or -1 .* got -2 to 2"), (3, "0 to 2, or -1 .* got 0 to 3")],
)
def test_other_labels_are_refused(label, message):
    init = Y.copy()
    init[4] = label
    with pytest.raises(ValueError, match=f"init must hold labels from {message}"):
        RIM(3, init=init).fit(X)
    with pytest.raises(ValueError, match="init must hold the label of some sample"):
        RIM(3, init=np.full(60, -1)).fit(X)


def sharpness(model, *data):
    """Mean probability of the labels that a start leads to."""
    return model.fit(*data).predict_proba(data[0]).max(axis=1).mean()


def test_cells_of_any_shape_are_led_to_firmly_and_others_softly():
    sharp = {}
    for name, model in {
        "kernel": LinearMMD(3),
        "metric": LinearWasserstein(3),
        "geodesic": LinearWasserstein(3, metric="geodesic"),
        "information": RIM(3),
    }.items():
        model.set_params(init=Y, **AT_START)
        sharp[name] = sharpness(model, X)
    assert sharp.pop("geodesic") > 0.85
    assert max(sharp.values()) < 0.7


def test_precomputed_paths_along_the_data_lead_firmly():
    D = geodesic_distances(X)
    model = LinearWasserstein(3, metric="precomputed", init=Y, **AT_START)
    assert sharpness(model, X, Distances(D, True)) < 0.7
    affinity = Distances(D, is_metric=True, along_data=True)
    assert sharpness(model, X, affinity) > 0.85
    assert affinity.take(np.arange(5)).along_data
