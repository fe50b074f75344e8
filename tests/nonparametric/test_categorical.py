"""Models whose logits belong to the training samples."""

import numpy as np
import pytest
from estimators import PUBLISHED
from scipy.sparse import csr_array, csr_matrix
from scipy.sparse.csgraph import shortest_path
from sklearn.base import clone
from sklearn.datasets import make_blobs, make_circles
from sklearn.metrics import adjusted_rand_score
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags

from gemclus._common.fingerprints import match_rows, row_fingerprints
from gemclus.nonparametric import (
    CategoricalMMD,
    CategoricalModel,
    CategoricalWasserstein,
)


@pytest.fixture
def X():
    return np.random.RandomState(0).normal(size=(40, 3))


def test_reproduces_the_published_run():
    X, y = make_circles(n_samples=200, noise=0.05, factor=0.05, random_state=0)
    X = StandardScaler().fit_transform(X)
    model = CategoricalMMD(n_clusters=2, kernel="rbf", random_state=0, **PUBLISHED).fit(
        X
    )
    assert adjusted_rand_score(y, model.labels_) == 1.0
    assert model.score(X) == pytest.approx(0.330, abs=5e-4)


def test_hop_distances_find_the_communities_of_a_graph():
    # A latent position model: the closer two nodes, the more probable their edge.
    X, y = make_blobs(90, centers=[[4, 0], [-2, 3], [-2, -3]], random_state=0)
    probability = 1 / (1 + np.exp(2 * euclidean_distances(X) - 2))
    edges = np.random.RandomState(0).uniform(size=(90, 90)) < probability
    hops = shortest_path(edges | edges.T, directed=False, unweighted=True)
    assert np.isfinite(hops).all()
    model = CategoricalWasserstein(
        3,
        ovo=True,
        metric="precomputed",
        solver="lbfgs",
        n_init=5,
        random_state=0,
        init="random",
    ).fit(np.arange(90)[:, None], hops)
    assert adjusted_rand_score(y, model.labels_) > 0.95


def test_initial_logits_are_uniform():
    model = CategoricalModel(n_clusters=4, **PUBLISHED)
    model._init_params(np.random.RandomState(5), np.eye(6))
    expected = np.random.RandomState(5).uniform(-1, 1, size=(6, 4))
    np.testing.assert_array_equal(model.logits_, expected)


def test_there_is_no_batch_size():
    assert "batch_size" not in CategoricalModel(**PUBLISHED).get_params()
    assert "batch_size" not in CategoricalMMD(**PUBLISHED).get_params()


def test_predictions_follow_the_samples(X):
    model = CategoricalModel(max_iter=10, random_state=0, **PUBLISHED).fit(X)
    y_pred = model.predict_proba(X)
    np.testing.assert_array_equal(y_pred.argmax(axis=1), model.labels_)
    order = np.random.RandomState(1).permutation(40)
    np.testing.assert_array_equal(model.predict_proba(X[order]), y_pred[order])
    np.testing.assert_array_equal(model.predict_proba(X[7:9]), y_pred[7:9])
    np.testing.assert_array_equal(model.predict_proba(X.tolist()), y_pred)


def test_other_samples_are_refused(X):
    model = CategoricalModel(max_iter=2, **PUBLISHED).fit(X)
    others = X.copy()
    others[3] += 1e-9
    for method in (model.predict, model.predict_proba, model.score):
        with pytest.raises(
            ValueError, match="training samples.* 1 of the 40.*position 3"
        ):
            method(others)


def test_equal_samples_cannot_be_told_apart_in_another_order(X):
    X[5] = X[9]
    model = CategoricalModel(max_iter=2, **PUBLISHED).fit(X)
    model.predict(X)
    model.predict(X[:5])
    with pytest.raises(ValueError, match="row 30 is equal to 2 of them"):
        model.predict(X[::-1])
    with pytest.raises(ValueError, match="row 0 is equal to 2 of them"):
        model.predict(X[5:6])


def test_no_data_is_kept(X):
    model = CategoricalModel(max_iter=2, **PUBLISHED).fit(X)
    arrays = {
        name: value.shape
        for name, value in vars(model).items()
        if isinstance(value, np.ndarray) and len(X) in value.shape
    }
    assert arrays == {"logits_": (40, 3), "labels_": (40,), "_fingerprints": (40,)}
    assert model._fingerprints.nbytes == 8 * len(X)


def test_custom_batches_find_their_logits(X):
    class Batched(CategoricalModel):
        def _batchify(self, X, affinity_matrix=None, random_state=None):
            order = random_state.permutation(len(X))
            for batch in np.array_split(order, 4):
                yield X[batch], affinity_matrix[batch][:, batch]

    first = Batched(max_iter=5, random_state=0, **PUBLISHED).fit(X)
    assert first.objective_curve_[-1] > first.objective_curve_[0]


def test_csr_matrices_give_the_same_model(X):
    X[X < 0] = 0.0
    X[:, 0] = np.arange(40)
    dense = CategoricalModel(max_iter=5, random_state=0, **PUBLISHED).fit(X)
    model = CategoricalModel(max_iter=5, random_state=0, **PUBLISHED).fit(csr_array(X))
    np.testing.assert_allclose(model.logits_, dense.logits_, rtol=1e-6)
    np.testing.assert_array_equal(
        model.predict(csr_array(X)[3:9]), dense.predict(X[3:9])
    )


def test_a_second_fit_has_its_own_samples(X):
    model = CategoricalModel(max_iter=2, warm_start=True, **PUBLISHED).fit(X)
    with pytest.raises(ValueError, match="training samples"):
        model.fit(X + 1.0)
    model.set_params(warm_start=False).fit(X + 1.0)
    model.predict(X + 1.0)


def test_tags_say_that_predictions_are_for_training_samples():
    tags = get_tags(CategoricalMMD(**PUBLISHED))
    assert tags.transductive
    assert tags.estimator_type == "clusterer"
    assert get_tags(clone(CategoricalModel(**PUBLISHED))).transductive


def test_fingerprints_see_numbers_and_not_their_storage():
    X = np.random.RandomState(0).randint(-2, 3, size=(50, 6)).astype(np.float32)
    expected = row_fingerprints(X)
    np.testing.assert_array_equal(row_fingerprints(X.astype(np.float64)), expected)
    np.testing.assert_array_equal(row_fingerprints(np.asfortranarray(X)), expected)
    np.testing.assert_array_equal(row_fingerprints(csr_array(X)), expected)
    np.testing.assert_array_equal(row_fingerprints(np.where(X == 0, -0.0, X)), expected)


def in_parts(X):
    """A CSR matrix that stores every entry as two, in no order."""
    rows, columns = np.nonzero(X)
    values = X[rows, columns]
    order = np.random.RandomState(0).permutation(2 * len(values))
    rows, columns = np.tile(rows, 2)[order], np.tile(columns, 2)[order]
    values = np.concatenate([0.25 * values, 0.75 * values])[order]
    starts = np.searchsorted(np.sort(rows), np.arange(len(X) + 1))
    stable = np.argsort(rows, kind="stable")
    matrix = csr_matrix((values[stable], columns[stable], starts), shape=X.shape)
    assert not matrix.has_canonical_format
    return matrix


@pytest.mark.parametrize("cls", [CategoricalModel, CategoricalMMD])
def test_duplicates_that_scipy_sums_in_place_change_no_sample(cls):
    X = np.random.RandomState(0).normal(size=(20, 5))
    matrix = in_parts(X)
    stored = matrix.data.copy()
    model = cls(2, max_iter=2, random_state=0, **PUBLISHED).fit(matrix)
    expected = model.predict_proba(matrix)
    np.testing.assert_array_equal(matrix.data, stored)
    matrix.sum_duplicates()
    np.testing.assert_array_equal(model.predict_proba(matrix), expected)
    shuffled = np.random.RandomState(1).permutation(20)
    np.testing.assert_array_equal(
        model.predict_proba(matrix[shuffled]), expected[shuffled]
    )
    summed = cls(2, max_iter=2, random_state=0, **PUBLISHED).fit(matrix)
    np.testing.assert_array_equal(summed.predict_proba(in_parts(X)), expected)


def test_fingerprints_differ_where_rows_differ():
    # All rows of small integers: transpositions, sign changes, single steps.
    X = np.stack(np.meshgrid(*[np.arange(-4.0, 5.0)] * 5), axis=-1).reshape(-1, 5)
    assert len(np.unique(row_fingerprints(X))) == len(X) == 9**5


def test_fingerprints_do_not_depend_on_the_block():
    X = np.random.RandomState(0).normal(size=(2**18 // 3 + 1000, 3))
    whole = row_fingerprints(X)
    np.testing.assert_array_equal(whole[-2000:], row_fingerprints(X[-2000:]))


def test_match_rows_counts_and_finds():
    known = np.array([7, 3, 3, 9], dtype=np.uint64)
    positions, counts = match_rows(np.array([9, 3, 8], dtype=np.uint64), known)
    np.testing.assert_array_equal(counts, [1, 2, 0])
    assert positions[0] == 3
    assert positions[1] in (1, 2)
