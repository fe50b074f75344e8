"""The size of a tree, by the advice of its documentation."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, KFold

from gemclus.tree import Kauri

GAINS = [0.0, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2]


def searched(model, X):
    folds = KFold(5, shuffle=True, random_state=0)
    return GridSearchCV(model, {"min_gain": GAINS}, cv=folds).fit(X).best_estimator_


@pytest.mark.parametrize("n_clusters", [3, 5])
def test_a_searched_tree_on_noise_is_small(n_clusters):
    X = np.random.RandomState(0).randn(1500, 10)
    free = Kauri(n_clusters).fit(X)
    model = searched(Kauri(n_clusters), X)
    assert model.tree_.n_leaves <= 4 * n_clusters
    assert model.tree_.n_leaves <= free.tree_.n_leaves / 3


def test_a_searched_tree_on_digits_has_the_leaves_it_needs():
    X = load_digits().data
    assert searched(Kauri(10), X).tree_.n_leaves > 30
