"""Scores of partitions, scorers, the consensus, the splitter."""

import pickle
from copy import deepcopy

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.cluster import AgglomerativeClustering, KMeans
from sklearn.datasets import load_iris
from sklearn.metrics import calinski_harabasz_score, rand_score, silhouette_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from gemclus.linear import LinearMMD
from gemclus.selection import (
    calinski_harabasz_scorer,
    consensus_scores,
    silhouette_scorer,
    whole_data,
)
from gemclus.selection._partitions import calinski_harabasz, silhouette

IRIS = load_iris().data
SCORERS = [silhouette_scorer, calinski_harabasz_scorer]


@pytest.mark.parametrize("n_clusters", [2, 3, 10, 149])
@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_calinski_harabasz_is_that_of_scikit_learn(n_clusters, offset):
    labels = np.random.RandomState(0).permutation(np.arange(150) % n_clusters)
    expected = calinski_harabasz_score(IRIS, labels)
    assert calinski_harabasz(IRIS + offset, labels) == pytest.approx(expected, rel=1e-6)
    found = calinski_harabasz(sparse.csr_array(IRIS), labels)
    assert found == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("score, worst", [(silhouette, -1.0), (calinski_harabasz, 0.0)])
@pytest.mark.parametrize("labels", [np.zeros(150), np.arange(150)])
def test_partitions_that_say_nothing_score_worst(score, worst, labels):
    assert score(IRIS, labels) == worst
    assert score(IRIS, np.arange(150) % 3) > worst


def test_clusters_of_identical_samples_are_the_best():
    points = np.repeat([[0.0, 0.0], [1.0, 3.0], [5.0, 1.0]], 10, axis=0)
    assert calinski_harabasz(points, np.repeat([0, 1, 2], 10)) == np.inf
    for constant in (0.0, 0.1, 1e9 / 3):
        X = np.full((30, 2), constant)
        assert calinski_harabasz(X, np.repeat([0, 1, 2], 10)) == 0.0


def test_silhouettes_of_large_data_are_those_of_a_sample():
    rng = np.random.RandomState(0)
    X = np.concatenate([rng.normal(size=(2700, 2)), 3.0 + rng.normal(size=(2700, 2))])
    labels = np.repeat([4, 7], 2700)
    found = silhouette(X, labels)
    assert found == silhouette(X, labels) != silhouette_score(X, labels)
    assert found == pytest.approx(silhouette_score(X, labels), abs=0.02)


@pytest.mark.parametrize("scorer", SCORERS)
def test_scorers_look_behind_the_transformers(scorer):
    X = IRIS * [1.0, 1.0, 1.0, 1e4]
    pipeline = make_pipeline(StandardScaler(), KMeans(3, n_init=3, random_state=0))
    pipeline.fit(X)
    alone = pipeline[-1]
    scaled = pipeline[:-1].transform(X)
    assert scorer(pipeline, X) == scorer(alone, scaled)
    assert scorer(make_pipeline(pipeline), X) == scorer(pipeline, X)


def test_scorers_judge_held_out_samples():
    model = LinearMMD(3, solver="lbfgs", init="k-means++", random_state=0)
    scores = cross_val_score(model, IRIS, scoring=silhouette_scorer, cv=3)
    for k, part in enumerate(np.split(np.arange(150), 3)):
        rest = np.setdiff1d(np.arange(150), part)
        labels = clone(model).fit(IRIS[rest]).predict(IRIS[part])
        if len(np.unique(labels)) > 1:
            assert scores[k] == silhouette_score(IRIS[part], labels)
        else:
            assert scores[k] == -1.0


@pytest.mark.parametrize("scorer", SCORERS)
def test_models_without_predict_are_scored_on_their_own_samples(scorer):
    model = AgglomerativeClustering(3).fit(IRIS)
    public = {
        silhouette_scorer: silhouette_score,
        calinski_harabasz_scorer: calinski_harabasz_score,
    }[scorer]
    assert scorer(model, IRIS) == pytest.approx(public(IRIS, model.labels_))
    with pytest.raises(ValueError, match="AgglomerativeClustering has no predict"):
        scorer(model, IRIS[:10])


def test_whole_data_is_one_split_of_everything():
    ((train, test),) = whole_data.split(IRIS)
    assert np.array_equal(train, np.arange(150)) and np.array_equal(test, train)
    assert whole_data.get_n_splits(IRIS) == 1
    assert pickle.loads(pickle.dumps(whole_data)) is whole_data is deepcopy(whole_data)
    search = GridSearchCV(
        KMeans(n_init=3, random_state=0),
        {"n_clusters": [1, 2, 3, 40]},
        scoring=silhouette_scorer,
        cv=whole_data,
    ).fit(np.unique(IRIS, axis=0)[::-1][:40])
    found = search.cv_results_["mean_test_score"]
    assert found[[0, 3]].tolist() == [-1.0, -1.0]
    assert found[1:3].min() > 0.0


def total_variations(partitions):
    """The definition: connectivity matrices beside their mean."""
    partitions = np.asarray(partitions)
    together = [labels[:, None] == labels for labels in partitions]
    consensus = np.mean(together, axis=0)
    return np.array([np.abs(one - consensus).mean() for one in together])


@pytest.mark.parametrize("n_clusters", [3, 5, 40])
def test_consensus_is_the_total_variation_of_connectivities(n_clusters):
    rng = np.random.RandomState(n_clusters)
    partitions = rng.randint(n_clusters, size=(7, 60))
    partitions[3] = partitions[2] // 2
    scores = consensus_scores(partitions)
    np.testing.assert_allclose(scores, -total_variations(partitions), atol=1e-14)
    # Any names of the clusters will do.
    names = np.array([f"c{k}" for k in range(n_clusters)])[::-1]
    np.testing.assert_array_equal(consensus_scores(names[partitions]), scores)
    np.testing.assert_array_equal(consensus_scores(100.5 - partitions), scores)


def test_consensus_is_the_mean_rand_index_of_pairs():
    partitions = np.random.RandomState(0).randint(4, size=(5, 30))
    # The definition counts a sample with itself, on which all agree.
    index = [[rand_score(a, b) for b in partitions] for a in partitions]
    expected = (np.mean(index, axis=1) - 1.0) * 29 / 30
    np.testing.assert_allclose(consensus_scores(partitions), expected, atol=1e-14)


def test_consensus_of_partitions_that_say_nothing_is_the_worst():
    partitions = [np.zeros(9), np.arange(9), np.arange(9) % 3, np.arange(9) % 2]
    scores = consensus_scores(partitions)
    assert scores[:2].tolist() == [-1.0, -1.0]
    np.testing.assert_allclose(scores[2:], -total_variations(partitions)[2:])


@pytest.mark.parametrize(
    "partitions, message",
    [
        ([0, 1, 1], r"shape \(n_partitions, n_samples\), got shape \(3,\)"),
        (np.zeros((0, 4)), "got shape"),
        ([[0.0, np.nan]], "NaN"),
        ([[0, 1], [0, 1, 2]], "same length"),
    ],
)
def test_consensus_refuses_what_is_no_table(partitions, message):
    with pytest.raises(ValueError, match=message):
        consensus_scores(partitions)
