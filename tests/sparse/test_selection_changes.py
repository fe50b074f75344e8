"""Selections that change, and where a path starts."""

import numpy as np
import pytest
from estimators import PUBLISHED

from gemclus.data import celeux_one
from gemclus.gemini import MMDGEMINI
from gemclus.sparse import SparseLinearMMD, SparseLinearModel
from gemclus.sparse._dynamic import DynamicAffinity

X, y = celeux_one(n=60, p=3, mu=1.7, random_state=0)


def test_a_selection_of_the_same_size_is_another_selection():
    gemini = MMDGEMINI(kernel="rbf")
    dynamic = DynamicAffinity(X, gemini._training_affinity)
    for kept in ([0, 1, 2], [0, 1, 3], [5, 6, 7], [0, 1, 2], [2], [7]):
        support = np.isin(np.arange(8), kept)
        expected = gemini.compute_affinity(X[:, support])
        np.testing.assert_allclose(dynamic.restricted_to(support), expected)


def test_training_follows_a_selection_that_keeps_its_size():
    """Weights set by hand between two epochs leave as many features, but others."""
    steps = []

    class Turning(SparseLinearModel):
        def _update_weights(self, weights, gradients):
            first = len(steps) % 8
            self.W_[:] = 0.0
            self.W_[[first, (first + 1) % 8]] = [[1.0, 0.0, -1.0]]

        def _compute_grads(self, X, y_pred, gradient):
            support = np.abs(self.W_).sum(axis=1) > 0
            steps.append((y_pred.copy(), gradient.copy(), support))
            return super()._compute_grads(X, y_pred, gradient)

    gemini = MMDGEMINI(kernel="rbf")
    Turning(gemini=gemini, dynamic=True, max_iter=9, random_state=0, **PUBLISHED).fit(X)
    assert [support.sum() for _, _, support in steps] == [8] + [2] * 8
    for y_pred, gradient, support in steps:
        affinity = gemini.compute_affinity(X[:, support])
        expected = gemini.evaluate(y_pred, affinity, return_grad=True)[1]
        np.testing.assert_allclose(gradient, expected, rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize(
    ("alpha", "first"), [(1e-4, 1e-4), (9e-3, 9e-3), (3.0, 3.0), (0.0, 1e-2)]
)
def test_a_path_starts_at_alpha(alpha, first):
    model = SparseLinearMMD(alpha=alpha, max_iter=5, random_state=0, **PUBLISHED)
    path = model.path(X, alpha_multiplier=10.0, min_features=7)
    expected = first * 10.0 ** np.arange(len(path.alphas))
    np.testing.assert_allclose(path.alphas, expected, rtol=1e-12)
    assert model.alpha == alpha
