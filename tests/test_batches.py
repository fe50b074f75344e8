"""Steps on batches of a user's own, against their definitions.

One epoch of gradient descent with momentum moves each weight by -1.9 times the
learning rate times its gradient, which so can be read off a fitted model.
"""

import numpy as np
import pytest
from estimators import PUBLISHED
from scipy.special import softmax
from sklearn.metrics.pairwise import rbf_kernel

from gemclus import add_mlcl_constraint
from gemclus.gemini import MI, MMDGEMINI
from gemclus.linear import KernelRIM, LinearModel
from gemclus.nonparametric import CategoricalModel
from gemclus.testing import numerical_gradient

X = np.random.RandomState(0).normal(size=(14, 2))
RATE = 1e-6
BATCHES = {
    "a part": [3, 7, 1, 12, 5],
    "repeated": [3, 7, 3, 12, 5, 5, 5],
    "one twice": [0, 0, 13],
}
# The order of a bootstrap sample that holds the whole data's number of rows.
BATCHES["bootstrap"] = np.random.RandomState(1).randint(14, size=14).tolist()


def on_batches(cls, *batches):
    """`cls` with an epoch of these batches."""

    def _batchify(self, X, affinity_matrix=None, random_state=None):
        for batch in map(np.array, batches):
            affinity = affinity_matrix
            if affinity is not None:
                affinity = affinity_matrix[batch][:, batch]
            yield X[batch], affinity

    return type("OnBatches", (cls,), {"_batchify": _batchify})


def one_epoch(cls, batch, **arguments):
    """Initial weights, their gradients by the step taken, and the objective."""
    arguments |= {"max_iter": 1, "solver": "sgd", "random_state": 0}
    make = on_batches(cls, batch)
    before = make(learning_rate=1e-300, **PUBLISHED | arguments).fit(X)._get_weights()
    model = make(learning_rate=RATE, **PUBLISHED | arguments).fit(X)
    after = model._get_weights()
    gradients = [(w - v) / (1.9 * RATE) for v, w in zip(after, before, strict=True)]
    return before, gradients, model.objective_curve_[0]


def check_step(objective, weights, gradients, value):
    """`objective` of the weights has this value and, negated, these gradients."""
    assert value == pytest.approx(objective(*weights), rel=1e-12)
    for weight, gradient in zip(weights, gradients, strict=True):
        expected = numerical_gradient(lambda: -objective(*weights), weight, step=1e-4)
        np.testing.assert_allclose(gradient, expected, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("batch", BATCHES.values(), ids=BATCHES)
@pytest.mark.parametrize("gemini", [MI(), MMDGEMINI(ovo=True)])
def test_a_categorical_step(gemini, batch):
    def objective(logits):
        affinity = gemini.compute_affinity(X[batch])
        return gemini.evaluate(softmax(logits[batch], axis=1), affinity)

    check_step(objective, *one_epoch(CategoricalModel, batch, gemini=gemini))


@pytest.mark.parametrize("batch", BATCHES.values(), ids=BATCHES)
def test_a_step_of_kernel_rim(batch):
    def objective(W, b):
        kappa = rbf_kernel(X[batch], X)
        value = MI().evaluate(softmax(kappa @ W + b, axis=1), None)
        return value - 0.3 * np.mean((W[batch] * (kappa @ W)).sum(axis=1))

    check_step(objective, *one_epoch(KernelRIM, batch, base_kernel="rbf", reg=0.3))


@pytest.mark.parametrize("batch", BATCHES.values(), ids=BATCHES)
@pytest.mark.parametrize("gemini", [MI(), MMDGEMINI(kernel="rbf")])
def test_a_linear_step(gemini, batch):
    def objective(W, b):
        affinity = gemini.compute_affinity(X[batch])
        return gemini.evaluate(softmax(X[batch] @ W + b, axis=1), affinity)

    check_step(objective, *one_epoch(LinearModel, batch, gemini=gemini))


# Of different kinds and factors, in an order that mixes them.
LINKS = [
    ([[3, 7]], None, 0.5),
    (None, [[12, 1], [5, 9]], 2.0),
    ([[0, 12], [8, 2]], [[7, 0]], 0.25),
    ([[9, 1]], None, 4.0),
    (None, [[5, 3]], 1.0),
]


def linked(model):
    for must_link, cannot_link, factor in LINKS:
        model = add_mlcl_constraint(model, must_link, cannot_link, factor)
    return model


def penalty(P, batch):
    """Of the pairs that have both samples in the batch, by their definition."""
    row = {sample: P[position] for position, sample in enumerate(batch)}
    total = 0.0
    for must_link, cannot_link, factor in LINKS:
        for sign, pairs in ((1.0, must_link or []), (-1.0, cannot_link or [])):
            for i, j in pairs:
                if i in row and j in row:
                    total += sign * factor * ((row[i] - row[j]) ** 2).sum()
    return total


@pytest.mark.parametrize("gemini", ["mi", "mmd_ova"])
@pytest.mark.parametrize(
    "batch",
    [range(14), range(13, -1, -1), [3, 7, 1, 12, 5], [12, 0, 7, 9, 1], [2, 8], [4, 6]],
    ids=str,
)
def test_each_pair_keeps_its_factor_in_a_batch(batch, gemini):
    batch = list(batch)
    gradients = []

    class Noting(on_batches(LinearModel, batch)):
        def _compute_grads(self, X, y_pred, gradient):
            gradients.append((y_pred.copy(), gradient.copy()))
            return super()._compute_grads(X, y_pred, gradient)

    arguments = {"gemini": gemini, "max_iter": 1, "random_state": 0}
    model = Noting(learning_rate=1e-300, **PUBLISHED | arguments)
    free = model.fit(X).objective_curve_[0]
    constrained = linked(model).fit(X).objective_curve_[0]
    (P, plain), (_, penalised) = gradients
    assert free - constrained == pytest.approx(penalty(P, batch), abs=1e-14)
    Q = P.copy()
    expected = numerical_gradient(lambda: -penalty(Q, batch), Q, step=1e-4)
    np.testing.assert_allclose(penalised - plain, expected, atol=1e-10)


def test_an_epoch_is_the_mean_over_samples_not_over_batches():
    batches = [[0, 1, 2, 3, 4, 5, 6, 7, 8], [9, 10, 11], [12, 13]]
    model = on_batches(LinearModel, *batches)(
        gemini="mmd_ova",
        max_iter=1,
        learning_rate=1e-300,
        random_state=0,
        **PUBLISHED,
    ).fit(X)
    gemini, P = MMDGEMINI(), model.predict_proba(X)
    values = [gemini.evaluate(P[b], gemini.compute_affinity(X[b])) for b in batches]
    expected = np.average(values, weights=[9, 3, 2])
    assert model.objective_curve_[0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("batch_size", [1, 4, 5, 7, 13])
def test_batches_are_of_the_size_asked_for_and_new_in_each_epoch(batch_size):
    seen = []

    class Noting(LinearModel):
        def _infer(self, X, retain=True):
            if retain:
                seen.append(X.copy())
            return super()._infer(X, retain)

    Noting(
        gemini="mi", batch_size=batch_size, max_iter=3, random_state=0, **PUBLISHED
    ).fit(X)
    n_batches = -(-14 // batch_size)
    sizes = [batch_size] * (14 // batch_size) + [14 % batch_size] * (
        14 % batch_size > 0
    )
    assert [len(batch) for batch in seen] == 3 * sizes
    epochs = [
        np.concatenate(seen[start : start + n_batches])
        for start in range(0, len(seen), n_batches)
    ]
    for epoch in epochs:
        order = np.lexsort(epoch.T)
        np.testing.assert_array_equal(epoch[order], X[np.lexsort(X.T)])
    assert not np.array_equal(epochs[0], epochs[1])
    assert not np.array_equal(epochs[0], X)
