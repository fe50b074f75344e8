"""The choice of the number of clusters."""

import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn
from estimators import PUBLISHED
from scipy import sparse
from scipy.stats import rankdata
from sklearn.base import clone
from sklearn.cluster import AgglomerativeClustering, FeatureAgglomeration, KMeans
from sklearn.datasets import make_blobs
from sklearn.metrics import silhouette_score
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale
from sklearn.utils.estimator_checks import parametrize_with_checks

from gemclus.linear import LinearMMD
from gemclus.mlp import MLPMMD
from gemclus.nonparametric import CategoricalMMD
from gemclus.selection import KSelector, consensus_scores, silhouette_scorer
from gemclus.tree import Kauri

FIVE = scale(make_blobs(200, centers=5, cluster_std=0.5, random_state=1)[0])
LBFGS = {"solver": "lbfgs", "init": "k-means++"}
CRITERIA = ("calinski_harabasz", "silhouette", "silhouette_cv", "consensus")
WITHOUT_PREDICT = ("calinski_harabasz", "silhouette")


def expected_failed_checks(selector):
    """Reasons for the checks of scikit-learn that do not apply."""
    failures = {
        "check_parameters_default_constructible": "the default is a range of ints"
    }
    if hasattr(selector.estimator, "predict_proba"):
        why = "reads the tags of classifiers, which clusterers do not have"
        failures["check_estimator_sparse_array"] = why
        failures["check_estimator_sparse_matrix"] = why
    return failures


# The data of the checks have offsets of 100, and warn as they should; five epochs
# on them may leave a single cluster.
@pytest.mark.filterwarnings("ignore:The first predictions are:UserWarning")
@pytest.mark.filterwarnings("ignore:No candidate made clusters:UserWarning")
@parametrize_with_checks(
    [
        KSelector(KMeans(n_init=1, random_state=0), range(2, 5), random_state=0),
        KSelector(
            LinearMMD(max_iter=5, learning_rate=0.01, init="k-means++", solver="adam"),
            range(2, 5),
            random_state=0,
        ),
    ],
    expected_failed_checks=expected_failed_checks,
)
def test_estimator_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize(
    "estimator, arguments",
    [
        (KMeans(n_init=3), {}),
        (LinearMMD(ovo=True, **PUBLISHED | LBFGS), {}),
        (MLPMMD(ovo=True, **PUBLISHED | LBFGS), {}),
        (AgglomerativeClustering(), {"criteria": WITHOUT_PREDICT}),
        (GaussianMixture(n_init=3), {"param_name": "n_components"}),
        (Kauri(), {"param_name": "max_clusters"}),
        (make_pipeline(StandardScaler(), KMeans(n_init=3)), {}),
        (make_pipeline(make_pipeline(StandardScaler(), KMeans(n_init=3))), {}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_finds_five_blobs_with_any_clusterer(estimator, arguments):
    before = repr(estimator.get_params())
    selector = KSelector(estimator, random_state=0, **arguments).fit(FIVE)
    assert selector.n_clusters_ == 5
    assert len(np.unique(selector.labels_)) == 5
    assert repr(estimator.get_params()) == before
    if hasattr(estimator, "predict"):
        assert np.array_equal(selector.predict(FIVE), selector.labels_)
    else:
        assert not hasattr(selector, "predict")
    assert hasattr(selector, "predict_proba") == hasattr(estimator, "predict_proba")


def test_the_table_holds_what_the_criteria_say():
    model = KMeans(n_init=3, random_state=0)
    selector = KSelector(model, [4, 2, 7], criteria=CRITERIA, random_state=3)
    scores = selector.fit(FIVE).scores_
    assert scores["n_clusters"].tolist() == scores["n_used"].tolist() == [2, 4, 7]
    # The folds depend on the random state alone.
    fold_seed = np.random.RandomState(3).randint(np.iinfo(np.int32).max, size=2)[1]
    folds = list(KFold(3, shuffle=True, random_state=fold_seed).split(FIVE))
    partitions = []
    for i, k in enumerate([2, 4, 7]):
        whole = clone(model).set_params(n_clusters=k).fit(FIVE)
        assert scores["silhouette"][i] == silhouette_score(FIVE, whole.labels_)
        held_out = []
        for train, test in folds:
            part = clone(model).set_params(n_clusters=k).fit(FIVE[train])
            held_out.append(silhouette_score(FIVE[test], part.predict(FIVE[test])))
            partitions.append(part.predict(FIVE))
        assert scores["silhouette_cv"][i] == pytest.approx(np.mean(held_out))
    expected = consensus_scores(partitions).reshape(3, 3).mean(axis=1)
    np.testing.assert_allclose(scores["consensus"], expected)
    ranks = [rankdata(-scores[name]) for name in CRITERIA]
    for name, rank in zip(CRITERIA, ranks, strict=True):
        np.testing.assert_array_equal(scores[f"rank_{name}"], rank)
    np.testing.assert_allclose(scores["mean_rank"], np.mean(ranks, axis=0))
    assert pd.DataFrame(scores).shape == (3, 11)


def test_ties_go_to_fewer_clusters():
    def likes_few(estimator, X):
        return -estimator.n_clusters

    def likes_many(estimator, X):
        return estimator.n_clusters

    selector = KSelector(
        KMeans(n_init=1), range(2, 7), criteria=[likes_few, likes_many]
    )
    selector.fit(FIVE)
    assert selector.scores_["mean_rank"].tolist() == [3.0] * 5
    assert selector.n_clusters_ == 2
    selector.set_params(criteria=likes_many).fit(FIVE)
    assert selector.n_clusters_ == 6
    assert "likes_many" in selector.scores_


def test_users_scorers_get_the_fitted_model():
    selector = KSelector(
        LinearMMD(ovo=True, **PUBLISHED | LBFGS),
        criteria=[silhouette_scorer],
        random_state=0,
    ).fit(FIVE)
    expected = silhouette_score(FIVE, selector.labels_)
    best = selector.scores_["silhouette_scorer"][selector.best_index_]
    assert best == pytest.approx(expected)


def test_one_cluster_or_as_many_as_samples_score_worst():
    X = FIVE[:12]
    candidates = [1, 2, 3, 4, 12]
    selector = KSelector(
        KMeans(n_init=3), candidates, criteria=CRITERIA, random_state=0
    ).fit(X)
    for name, worst in zip(CRITERIA, (0.0, -1.0, -1.0, -1.0), strict=True):
        assert selector.scores_[name][[0, 4]].tolist() == [worst, worst]
        assert (selector.scores_[name][1:4] > worst).all()
    with pytest.warns(UserWarning, match="No candidate"):
        hopeless = KSelector(KMeans(n_init=1), [1, 12]).fit(X)
    assert hopeless.n_clusters_ == 1


def test_n_clusters_is_what_the_model_uses():
    X = np.repeat(FIVE[:3], 20, axis=0)
    selector = KSelector(
        Kauri(), [6, 8], param_name="max_clusters", criteria="calinski_harabasz"
    ).fit(X)
    assert selector.n_clusters_ == 3
    assert selector.scores_["n_clusters"][selector.best_index_] == 6


def test_jobs_change_nothing_and_the_seed_is_all():
    model = LinearMMD(**PUBLISHED | LBFGS)  # has no seed of its own
    scores = [
        KSelector(model, [3, 5], criteria=CRITERIA, n_jobs=n_jobs, random_state=1)
        .fit(FIVE)
        .scores_
        for n_jobs in (None, 1, 2)
    ]
    for other in scores[1:]:
        for name in scores[0]:
            np.testing.assert_array_equal(scores[0][name], other[name])


def test_frames_pickles_clones_and_parameters():
    frame = pd.DataFrame(FIVE, columns=["a", "b"], index=np.arange(200)[::-1])
    selector = KSelector(KMeans(n_init=3), random_state=0).fit(frame)
    assert selector.feature_names_in_.tolist() == ["a", "b"]
    assert selector.n_features_in_ == 2
    again = pickle.loads(pickle.dumps(selector))
    np.testing.assert_array_equal(again.predict(frame), selector.labels_)
    np.testing.assert_array_equal(selector.fit_predict(frame), selector.labels_)
    fresh = clone(selector).set_params(estimator__n_init=1, n_clusters=[2, 3])
    assert not hasattr(fresh, "labels_") and not hasattr(fresh, "n_features_in_")
    assert fresh.fit(FIVE).scores_["n_clusters"].tolist() == [2, 3]
    assert selector.score(frame) == selector.best_estimator_.score(frame)


def test_sparse_data():
    selector = KSelector(KMeans(n_init=3), criteria=CRITERIA, random_state=0)
    dense = selector.fit(FIVE).scores_
    found = selector.fit(sparse.csr_array(FIVE)).scores_
    for name in CRITERIA:
        np.testing.assert_allclose(found[name], dense[name], rtol=1e-6)


def test_precomputed_kernels_are_taken_by_rows_and_columns():
    kernel = rbf_kernel(FIVE)
    named = LinearMMD(kernel="rbf", **PUBLISHED | LBFGS)
    given = LinearMMD(kernel="precomputed", **PUBLISHED | LBFGS)
    scores = [
        KSelector(model, [3, 5], random_state=0).fit(FIVE, kernel).scores_
        for model in (named, given)
    ]
    for name in ("calinski_harabasz", "silhouette_cv"):
        np.testing.assert_allclose(scores[0][name], scores[1][name], rtol=1e-6)


def test_weights_go_to_the_fits_and_zero_leaves_out():
    rng = np.random.RandomState(0)
    far = 50.0 + rng.normal(size=(40, 2))
    X = np.concatenate([FIVE, far])
    weights = np.repeat([1.0, 0.0], [200, 40])
    model = KMeans(n_init=5, random_state=0)
    selector = KSelector(model, [2, 5, 7], random_state=0)
    weighted = selector.fit(X, sample_weight=weights)
    assert weighted.n_clusters_ == 5
    assert len(weighted.labels_) == 240
    centres = weighted.best_estimator_.cluster_centers_
    assert centres.max() < 40.0
    kept = clone(selector).fit(FIVE).scores_
    for name in ("calinski_harabasz", "silhouette_cv"):
        np.testing.assert_allclose(weighted.scores_[name], kept[name], rtol=0.2)


def test_metadata_routing():
    weights = np.repeat([1.0, 0.0], [160, 40])
    plain = KSelector(KMeans(n_init=3, random_state=0), [3, 5], random_state=0)
    expected = plain.fit(FIVE, sample_weight=weights).scores_
    with sklearn.config_context(enable_metadata_routing=True):
        model = KMeans(n_init=3, random_state=0).set_fit_request(sample_weight=True)
        pipeline = make_pipeline(
            StandardScaler().set_fit_request(sample_weight=False), model
        )
        found = clone(plain).set_params(estimator=model)
        found.fit(FIVE, sample_weight=weights)
        for name in expected:
            np.testing.assert_array_equal(found.scores_[name], expected[name])
        clone(plain).set_params(estimator=pipeline).fit(FIVE, sample_weight=weights)
        with pytest.raises(TypeError, match="unexpected"):
            clone(plain).fit(FIVE, colour=weights)


@pytest.mark.parametrize(
    "arguments, error, message",
    [
        ({"n_clusters": []}, ValueError, "n_clusters must be different ints"),
        ({"n_clusters": [2, 2]}, ValueError, r"got \[2, 2\]"),
        ({"n_clusters": None}, TypeError, "must be ints to choose from, got None"),
        ({"n_clusters": [2.5]}, TypeError, "n_clusters must be ints"),
        ({"n_clusters": [0, 2]}, ValueError, "n_clusters must be at least 1, got 0"),
        ({"n_clusters": [2, 201]}, ValueError, "at most n_samples=200"),
        ({"param_name": "k"}, ValueError, "param_name='k' is no parameter of KMeans"),
        ({"param_name": 3}, TypeError, "param_name must be a string"),
        ({"criteria": ()}, ValueError, "criteria must be different ones"),
        ({"criteria": ("silhouette",) * 2}, ValueError, "criteria must be different"),
        ({"criteria": "gap"}, ValueError, "criteria must be among"),
        ({"criteria": [1]}, TypeError, "criteria must be names or scorers, got 1"),
        ({"n_splits": 1}, ValueError, "n_splits must be at least 2, got 1"),
        ({"n_splits": 300}, ValueError, "n_splits=300 must be at most n_samples=200"),
        ({"criteria": lambda e, X: np.nan}, ValueError, "must return a number"),
        (
            {"estimator": AgglomerativeClustering()},
            ValueError,
            "AgglomerativeClustering has no predict",
        ),
        ({"estimator": StandardScaler()}, ValueError, "in its parts has none"),
        (
            {"estimator": make_pipeline(FeatureAgglomeration(), KMeans())},
            ValueError,
            "has several: .*'featureagglomeration__n_clusters', 'kmeans__n_clusters'",
        ),
    ],
)
def test_bad_arguments_are_named_and_change_nothing(arguments, error, message):
    selector = KSelector(KMeans(n_init=1, random_state=0), random_state=0).fit(FIVE)
    before = pickle.dumps(selector.scores_)
    selector.set_params(**arguments)
    with pytest.raises(error, match=message):
        selector.fit(FIVE)
    assert pickle.dumps(selector.scores_) == before


def test_models_that_cannot_predict_new_samples_say_so():
    with pytest.raises(ValueError):
        KSelector(CategoricalMMD(max_iter=5, **PUBLISHED), [2, 3]).fit(FIVE)
    selector = KSelector(CategoricalMMD(**PUBLISHED | LBFGS), criteria=WITHOUT_PREDICT)
    assert selector.fit(FIVE).n_clusters_ > 1


def test_more_candidates_than_samples_of_a_fold():
    X = FIVE[:9]
    selector = KSelector(KMeans(n_init=3), [2, 3, 8], random_state=0).fit(X)
    assert selector.scores_["silhouette_cv"][2] == -1.0
