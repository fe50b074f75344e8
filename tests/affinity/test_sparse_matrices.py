"""Sparse precomputed matrices: a graph's adjacency, for instance."""

import numpy as np
import pytest
from estimators import PUBLISHED
from scipy.sparse import coo_array, csc_matrix, csr_array, csr_matrix
from sklearn.model_selection import KFold, cross_val_score
from sklearn.neighbors import kneighbors_graph

from gemclus.affinity import AffinityRows, DenseKernel, SparseKernel, kernel_affinity
from gemclus.gemini import MMDGEMINI, WassersteinGEMINI
from gemclus.linear import LinearMMD, LinearModel, LinearWasserstein
from gemclus.mlp import MLPMMD
from gemclus.nonparametric import CategoricalMMD
from gemclus.sparse import SparseLinearMMD
from gemclus.tree import Kauri

X = np.random.RandomState(0).normal(size=(60, 3))
GRAPH = kneighbors_graph(X, 8, include_self=True)
GRAPH = csr_array(GRAPH.maximum(GRAPH.T))
FORMATS = [csr_array, csr_matrix, csc_matrix, coo_array, lambda A: A.astype(bool)]


def predictions(dtype=np.float64):
    P = np.random.RandomState(1).dirichlet(np.ones(4), size=60)
    return P.astype(dtype)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("ovo", [False, True])
@pytest.mark.parametrize("convert", FORMATS)
def test_a_sparse_kernel_has_the_value_and_gradient_of_the_dense_one(
    convert, ovo, dtype
):
    gemini = MMDGEMINI(ovo=ovo, kernel="precomputed")
    P, dense = predictions(dtype), GRAPH.toarray()
    value, gradient = gemini.evaluate(P, dense, return_grad=True)
    for affinity in (convert(GRAPH), SparseKernel(convert(GRAPH).astype(float))):
        result = gemini.evaluate(P, affinity, return_grad=True)
        assert result[0] == pytest.approx(value, rel=1e-12)
        np.testing.assert_allclose(result[1], gradient, rtol=1e-5, atol=1e-12)
        assert result[1].dtype == dtype


@pytest.mark.parametrize("ovo", [False, True])
def test_weights_of_samples_are_those_of_the_dense_kernel(ovo):
    gemini = MMDGEMINI(ovo=ovo, kernel="precomputed")
    weights = np.random.RandomState(2).uniform(size=60)
    arguments = dict(return_grad=True, sample_weight=weights)
    value, gradient = gemini.evaluate(predictions(), GRAPH.toarray(), **arguments)
    result = gemini.evaluate(predictions(), GRAPH, **arguments)
    assert result[0] == pytest.approx(value, rel=1e-12)
    np.testing.assert_allclose(result[1], gradient, atol=1e-14)


@pytest.mark.parametrize("batch_size", [None, 16])
@pytest.mark.parametrize("cls", [LinearMMD, MLPMMD, SparseLinearMMD])
def test_models_train_on_adjacencies(cls, batch_size):
    model = cls(
        kernel="precomputed",
        batch_size=batch_size,
        max_iter=5,
        random_state=0,
        **PUBLISHED,
    )
    dense = model.fit(X, GRAPH.toarray()).predict_proba(X)
    score = model.score(X, GRAPH.toarray())
    sparse = model.fit(X, GRAPH).predict_proba(X)
    np.testing.assert_allclose(sparse, dense, rtol=1e-9)
    assert model.score(X, GRAPH) == pytest.approx(score, rel=1e-9)


def test_categorical_and_general_models_train_on_adjacencies():
    for model in (
        CategoricalMMD(kernel="precomputed", max_iter=5, random_state=0, **PUBLISHED),
        LinearModel(
            gemini=MMDGEMINI(kernel="precomputed"),
            max_iter=5,
            random_state=0,
            **PUBLISHED,
        ),
    ):
        dense = model.fit(X, GRAPH.toarray()).predict_proba(X)
        np.testing.assert_allclose(model.fit(X, GRAPH).predict_proba(X), dense)


def test_training_never_makes_the_matrix_dense(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("made an N x N array")

    monkeypatch.setattr(SparseKernel, "__array__", refuse)
    monkeypatch.setattr(csr_array, "toarray", refuse)
    LinearMMD(kernel="precomputed", max_iter=3, random_state=0, **PUBLISHED).fit(
        X, GRAPH
    )


def test_folds_keep_the_kind():
    rows = SparseKernel(GRAPH)[np.array([4, 1, 9])]
    assert isinstance(rows, AffinityRows)
    affinity = kernel_affinity(X[[4, 1, 9]], "precomputed", y=rows, sparse=True)
    assert isinstance(affinity, SparseKernel)
    expected = GRAPH.toarray()[np.ix_([4, 1, 9], [4, 1, 9])]
    np.testing.assert_array_equal(affinity, expected)
    model = LinearMMD(kernel="precomputed", max_iter=3, random_state=0, **PUBLISHED)
    scores = cross_val_score(model, X, SparseKernel(GRAPH), cv=KFold(3))
    dense = cross_val_score(model, X, DenseKernel(GRAPH.toarray()), cv=KFold(3))
    np.testing.assert_allclose(scores, dense, rtol=1e-9)
    with pytest.raises(ValueError, match=r"affinity.SparseKernel\(matrix\)"):
        model.fit(X[:3], GRAPH[:3])


def test_users_get_a_plain_array():
    matrix = MMDGEMINI(kernel="precomputed").compute_affinity(X, GRAPH)
    assert type(matrix) is np.ndarray
    np.testing.assert_array_equal(matrix, GRAPH.toarray())


@pytest.mark.parametrize("given", [lambda A: A, SparseKernel])
def test_where_all_entries_are_needed_a_dense_matrix_is_asked_for(given):
    y = given(GRAPH)
    with pytest.raises(TypeError, match=r"metric='precomputed'.*y.toarray\(\)"):
        LinearWasserstein(metric="precomputed", **PUBLISHED).fit(X, y)
    with pytest.raises(TypeError, match=r"kernel='precomputed'.*y.toarray\(\)"):
        Kauri(kernel="precomputed").fit(X, y)


def test_objectives_that_need_dense_matrices_say_so():
    with pytest.raises(TypeError, match=r"affinity must be a dense .*toarray\(\)"):
        WassersteinGEMINI().evaluate(predictions(), GRAPH)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda A: A[:, :50], r"shape \(60, 60\), got \(60, 50\)"),
        (lambda A: A + csr_array(([1.0], ([3], [40])), A.shape), r"symmetric.*3.*40"),
        (lambda A: A * np.nan, "finite"),
        (lambda A: A * np.inf, "finite"),
    ],
)
def test_bad_sparse_matrices_are_refused(change, message):
    with pytest.raises(ValueError, match=f"y must.*{message}"):
        LinearMMD(kernel="precomputed", **PUBLISHED).fit(X, change(GRAPH))


def test_complex_entries_are_refused():
    with pytest.raises(TypeError, match="y must hold real numbers"):
        LinearMMD(kernel="precomputed", **PUBLISHED).fit(X, GRAPH.astype(complex))
    with pytest.raises(TypeError, match="array must be a sparse"):
        SparseKernel(np.eye(3))
