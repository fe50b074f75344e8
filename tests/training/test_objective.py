"""The curve, `tol` and `n_init` look at the same thing: the one that is maximised."""

import numpy as np
import pytest
from estimators import PUBLISHED
from sklearn.exceptions import ConvergenceWarning

from gemclus import add_mlcl_constraint
from gemclus.data import celeux_one
from gemclus.linear import RIM, KernelRIM
from gemclus.sparse import (
    SparseLinearMI,
    SparseLinearModel,
    SparseMLPMMD,
    SparseMLPModel,
)

X, y = celeux_one(60, p=3, random_state=0)


def penalised(model):
    """The value that `fit` maximises, at the weights of a sparse model."""
    W = model._feature_weights()
    norms = [np.linalg.norm(W[group]) for group in model.groups_]
    return model.score(X) - model.alpha * sum(norms)


@pytest.mark.parametrize("groups", [None, [[0, 1, 5]]])
@pytest.mark.parametrize(
    "cls", [SparseLinearModel, SparseLinearMI, SparseMLPModel, SparseMLPMMD]
)
def test_the_curve_of_sparse_models_has_their_penalty(cls, groups):
    settings = dict(groups=groups, alpha=0.07, learning_rate=0.01, random_state=2)
    curve = cls(max_iter=8, **PUBLISHED | settings).fit(X).objective_curve_
    for n_epochs in (1, 4, 7):
        model = cls(max_iter=n_epochs, **PUBLISHED | settings).fit(X)
        assert curve[n_epochs] == pytest.approx(penalised(model), rel=1e-12)
        assert curve[n_epochs] != pytest.approx(model.score(X), rel=1e-3)


def test_constraints_and_the_penalty_on_features_add_up():
    settings = dict(gemini="mi", alpha=0.05, random_state=0)
    links = ([[0, 1]], [[2, 3]], 0.4)
    model = add_mlcl_constraint(
        SparseLinearModel(max_iter=1, **PUBLISHED | settings), *links
    )
    P = model.fit(X).predict_proba(X)
    pairs = 0.4 * (np.sum((P[0] - P[1]) ** 2) - np.sum((P[2] - P[3]) ** 2))
    longer = add_mlcl_constraint(
        SparseLinearModel(max_iter=2, **PUBLISHED | settings), *links
    )
    curve = longer.fit(X).objective_curve_
    assert curve[1] == pytest.approx(penalised(model) - pairs, rel=1e-12)
    assert abs(pairs) > 1e-4


def test_restarts_of_sparse_models_keep_the_best_penalised_objective():
    """Seen to part: the start with the highest GEMINI is another one."""
    X, _ = celeux_one(120, random_state=3)
    settings = dict(gemini="mi", alpha=0.05, learning_rate=0.01, max_iter=300)
    best = SparseLinearModel(n_init=4, random_state=3, **PUBLISHED | settings).fit(X)
    largest = np.iinfo(np.int32).max
    others = np.random.RandomState(np.random.RandomState(3).randint(largest))
    seeds = [3, *others.randint(largest, size=3)]
    singles = [
        SparseLinearModel(random_state=s, **PUBLISHED | settings).fit(X) for s in seeds
    ]
    ends = [single.objective_curve_[-1] for single in singles]
    assert best.objective_curve_[-1] == max(ends)
    scores = [single.score(X) for single in singles]
    assert np.argmax(scores) != np.argmax(ends)


def test_tol_looks_at_the_penalised_objective():
    """From the best GEMINI on, that falls with the penalty: it alone would end it."""
    model = SparseLinearModel(gemini="mi", alpha=0.0, learning_rate=0.05, **PUBLISHED)
    model.set_params(max_iter=3000, warm_start=True, random_state=0)
    before = model.fit(X).score(X)
    model.set_params(alpha=20.0, tol=1e-6, learning_rate=1e-3, max_iter=300)
    with pytest.warns(ConvergenceWarning, match="max_iter=300"):
        model.fit(X)
    assert model.score(X) < before


@pytest.mark.parametrize("gemini", ["mi", "mmd_ova"])
def test_a_path_notes_the_gemini_alone(gemini):
    model = SparseLinearModel(gemini=gemini, alpha=0.3, learning_rate=0.01, **PUBLISHED)
    model.set_params(max_iter=50, random_state=0)
    model = add_mlcl_constraint(model, [[0, 1]], [[2, 3]], factor=0.5)
    path = model.path(X, alpha_multiplier=1.5, restore_best_weights=False)
    assert path.geminis[-1] == pytest.approx(model.score(X), rel=1e-12)


def test_a_path_goes_on_with_the_random_numbers_of_its_training():
    orders = []

    class Watching(SparseLinearModel):
        def _batchify(self, X, affinity_matrix=None, random_state=None):
            for batch, affinity in super()._batchify(X, affinity_matrix, random_state):
                orders.append(batch[0, 0])
                yield batch, affinity

    model = Watching(batch_size=30, max_iter=2, alpha=5.0, random_state=0, **PUBLISHED)
    model.path(X, alpha_multiplier=1e3)
    first = np.array(orders[:4]).reshape(2, 2)
    # After the two epochs of the training comes the partition to assess it by.
    second = np.array(orders[5:]).reshape(-1, 2)
    assert not (second[:, None] == first).all(axis=2).any()


@pytest.mark.parametrize("cls", [RIM, KernelRIM])
def test_ridge_penalties_are_in_the_curve_and_not_in_the_score(cls):
    model = cls(reg=0.3, max_iter=3, random_state=0, **PUBLISHED).fit(X)
    again = cls(reg=0.3, max_iter=4, random_state=0, **PUBLISHED).fit(X)
    penalty = model._smooth_penalty(X)
    expected = model.score(X) - penalty
    assert again.objective_curve_[3] == pytest.approx(expected, rel=1e-12)
    assert penalty > 1e-3
