"""Public names that no other test meets by name."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.metrics.pairwise import haversine_distances, pairwise_kernels

import gemclus
from gemclus.affinity import TRUE_METRICS, Affinity, distance_matrix, factor_kernel
from gemclus.linear import LinearMMD
from gemclus.optim import OPTIMISERS
from gemclus.penalties import GroupPenalty
from gemclus.sparse import SparseLinearMMD, SparsePath
from gemclus.tree import FidelityReport, Kauri, fidelity

X = np.random.RandomState(0).normal(size=(20, 2))


@pytest.mark.parametrize("metric", sorted(TRUE_METRICS))
def test_true_metrics_keep_the_triangle_inequality(metric):
    D = distance_matrix(X, metric)
    detours = (D[:, :, None] + D[None, :, :]).min(axis=1)
    assert (D <= detours + 1e-12).all()
    np.testing.assert_array_equal(D, D.T)
    np.testing.assert_array_equal(np.diag(D), 0)
    if metric == "haversine":
        np.testing.assert_allclose(D, haversine_distances(X))


@pytest.mark.parametrize("metric", ["cosine", "nan_euclidean"])
def test_metrics_that_promise_nothing(metric):
    assert metric not in TRUE_METRICS


def test_an_affinity_of_ones_own_is_selected_from():
    class Gaussian(Affinity):
        def __init__(self, samples):
            self.samples = samples

        @property
        def shape(self):
            return len(self.samples), len(self.samples)

        def block(self, rows, columns):
            return pairwise_kernels(self.samples[rows], self.samples[columns], "rbf")

        def _restrict(self, indices):
            return Gaussian(self.samples[indices])

    affinity, matrix = Gaussian(X), pairwise_kernels(X, metric="rbf")
    np.testing.assert_allclose(affinity, matrix)
    idx = np.array([4, 19, 4, 0])
    batch = affinity[idx][:, idx]
    assert isinstance(batch, Gaussian) and batch.indices.tolist() == idx.tolist()
    np.testing.assert_allclose(batch, matrix[np.ix_(idx, idx)])
    with pytest.raises(TypeError, match="abstract"):
        Affinity()


@pytest.mark.parametrize(
    ("kernel", "params"),
    [("linear", None), ("cosine", None), ("poly", {"degree": 2, "coef0": 0.5})],
)
def test_factors_give_their_kernel(kernel, params):
    samples = np.tile(X, (3, 1)) + np.arange(60)[:, None] / 50
    Z = factor_kernel(samples, kernel, params)
    expected = pairwise_kernels(samples, metric=kernel, **(params or {}))
    np.testing.assert_allclose(Z @ Z.T, expected, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize(
    ("samples", "kernel", "params"),
    [
        (X, "rbf", None),
        (X, "precomputed", None),
        (X, np.dot, None),
        (X, "poly", {"degree": 2.5}),
        (X, "poly", {"degree": 2, "coef0": -1.0}),
        (X, "poly", {"degree": 9}),  # more monomials than a quarter of the samples
        (csr_array(X), "poly", {"degree": 1}),
    ],
)
def test_kernels_without_a_factor(samples, kernel, params):
    assert factor_kernel(samples, kernel, params) is None


@pytest.mark.parametrize("solver", OPTIMISERS)
def test_each_solver_climbs(solver):
    model = LinearMMD(solver=solver, max_iter=60, learning_rate=0.05, random_state=0)
    whole = OPTIMISERS[solver].is_full_batch()
    model.set_params(max_iter=500 if whole else 60)
    tiny = {"max_iter": 1, "learning_rate": 1e-300, "solver": "adam"}
    start = clone(model).set_params(**tiny).fit(X)
    model.fit(X)
    assert isinstance(model.optimiser_, OPTIMISERS[solver])
    assert model.objective_curve_.shape == (model.n_iter_,)
    if not whole:
        assert model.objective_curve_[0] == start.objective_curve_[0]
    assert model.score(X) > start.score(X) * 1.05


def test_a_penalty_of_ones_own_has_groups_norms_and_a_support():
    class Hard(GroupPenalty):
        def prox(self, W, step):
            for group, norm in zip(self.groups, self.group_norms(W)):
                W[group] *= norm > step

    W = np.array([[3.0, 0.0], [0.0, 4.0], [0.1, 0.1]])
    penalty = Hard(3, groups=[[0, 1]])
    assert penalty.value(W) == pytest.approx(5 + np.sqrt(0.02))
    penalty.prox(W, 1.0)
    assert W.tolist() == [[3.0, 0.0], [0.0, 4.0], [0.0, 0.0]]
    assert penalty.support(W).tolist() == [True, True, False]
    with pytest.raises(TypeError, match="abstract"):
        GroupPenalty(3)


@pytest.mark.filterwarnings("ignore:The path had nothing to do")
def test_a_path_is_a_tuple_with_names():
    model = SparseLinearMMD(alpha=10.0, random_state=0)
    path = model.path(X, alpha_multiplier=10.0)
    assert isinstance(path, SparsePath)
    weights, geminis, penalties, alphas, n_features = path
    assert path.alphas is alphas and path.geminis is geminis
    assert len(geminis) == len(penalties) == len(n_features) == len(alphas)
    assert [w.shape for w in weights] == [(2, 3), (1, 3)]


def test_a_report_of_fidelity_adds_up():
    labels = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0.5)
    tree = Kauri(max_clusters=3, max_leaves=3, kernel="labels").fit(X, labels)
    report = fidelity(tree, X, labels)
    assert isinstance(report, FidelityReport)
    expected = [
        [(labels[tree.labels_ == k] == l).sum() for l in range(3)] for k in range(3)
    ]
    assert report.table.tolist() == expected
    assert report.accuracy == report.table.max(axis=1).sum() / 20
    best = report.table.argmax(axis=1)
    np.testing.assert_array_equal(report.cluster_labels, report.label_names[best])
    told = [report.table[best == l, l].sum() for l in range(3)]
    np.testing.assert_allclose(report.recall, told / report.table.sum(axis=0))
    assert (report.n_leaves, report.depth) == (tree.get_n_leaves(), tree.get_depth())
    assert f"{100 * report.accuracy:.1f}%" in str(report)


def test_versions_are_shown(capsys):
    gemclus.show_versions()
    shown = capsys.readouterr().out
    assert gemclus.__version__ in shown and np.__version__ in shown
