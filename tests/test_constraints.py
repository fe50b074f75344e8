"""Must-link and cannot-link constraints."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from estimators import PUBLISHED
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    cross_val_predict,
    cross_val_score,
    learning_curve,
    permutation_test_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from gemclus import add_mlcl_constraint
from gemclus.affinity import DenseKernel, SampleIndices
from gemclus.linear import RIM, LinearMMD, LinearModel
from gemclus.mlp import MLPModel
from gemclus.nonparametric import CategoricalModel
from gemclus.selection import KSelector, StabilitySelection, whole_data
from gemclus.sparse import SparseLinearMI
from gemclus.tree import Kauri


@pytest.fixture
def X():
    return np.random.RandomState(0).normal(size=(40, 2))


def objective(model, X, must_link, cannot_link, factor):
    """GEMINI and penalties by their definition, at the weights of `model`."""
    P = model.predict_proba(X)
    value = model.score(X)
    value -= factor * sum(((P[i] - P[j]) ** 2).sum() for i, j in must_link)
    return value + factor * sum(((P[i] - P[j]) ** 2).sum() for i, j in cannot_link)


@pytest.mark.parametrize("gemini", ["mmd_ova", "mi", "tv_ovo", "wasserstein_ova"])
def test_the_objective_is_the_documented_one(gemini, X):
    links = {"must_link": [[0, 1], [5, 30]], "cannot_link": [[2, 9]]}
    model = LinearModel(
        gemini=gemini, max_iter=1, learning_rate=1e-12, random_state=0, **PUBLISHED
    )
    model = add_mlcl_constraint(model, **links, factor=0.3).fit(X)
    expected = objective(model, X, **links, factor=0.3)
    assert model.objective_curve_[0] == pytest.approx(expected, rel=1e-9)
    assert expected != pytest.approx(model.score(X), rel=1e-3)


@pytest.mark.parametrize("gemini", ["mmd_ova", "mi"])
def test_links_attract_and_repel(gemini):
    X, _ = make_blobs(40, centers=[[0, 0], [0, 6], [9, 0], [9, 6]], random_state=0)
    centres = ([0, 0], [0, 6], [9, 0], [9, 6])
    blob = [np.flatnonzero(((X - c) ** 2).sum(axis=1) < 9)[:8] for c in centres]
    model = LinearModel(
        n_clusters=2, gemini=gemini, learning_rate=1e-2, random_state=0, **PUBLISHED
    )
    # Left against right is the better clustering; the links want top and bottom.
    must = np.concatenate([np.c_[blob[0], blob[2]], np.c_[blob[1], blob[3]]])
    constrained = add_mlcl_constraint(model, must, np.c_[blob[0], blob[1]], factor=1.0)
    labels = constrained.fit_predict(X)
    assert (labels[must[:, 0]] == labels[must[:, 1]]).all()
    assert (labels[blob[0]] != labels[blob[1]]).all()
    free = clone(model).fit_predict(X)
    assert (free[blob[0]] != free[blob[2]]).all()


def test_lbfgs_maximises_the_penalised_objective(X):
    links = {"must_link": [[0, 1], [5, 30]], "cannot_link": [[2, 9]]}
    model = RIM(reg=0.01, solver="lbfgs", random_state=0, init="random")
    model = add_mlcl_constraint(model, **links, factor=0.1).fit(X)

    def penalised():
        return objective(model, X, **links, factor=0.1) - 0.01 * (model.W_**2).sum()

    best = penalised()
    assert model.objective_curve_[-1] == pytest.approx(best)
    for weight in model._get_weights():
        for position in np.ndindex(weight.shape):
            kept = weight[position]
            for step in (-0.02, 0.02):
                weight[position] = kept + step
                assert penalised() < best
            weight[position] = kept


@pytest.mark.parametrize("gemini", ["mmd_ova", "mi"])
def test_batches_find_their_pairs(gemini, X):
    seen = []

    class Recorded(LinearModel):
        def _compute_grads(self, X, y_pred, gradient):
            seen.append((X, gradient))
            return super()._compute_grads(X, y_pred, gradient)

    free = Recorded(
        gemini=gemini, batch_size=11, max_iter=2, random_state=0, **PUBLISHED
    )
    pairs = [[i, i + 1] for i in range(0, 40, 2)]
    linked = add_mlcl_constraint(free, cannot_link=pairs, factor=1e-9)
    free.fit(X)
    plain, seen[:] = list(seen), []
    linked.fit(X)
    partner = {tuple(X[i]): X[i ^ 1] for i in range(40)}
    n_pairs = 0
    for (batch, gradient), (other, unpenalised) in zip(seen, plain, strict=True):
        np.testing.assert_array_equal(batch, other)
        moved = np.abs(gradient - unpenalised).max(axis=1) > 1e-11
        inside = [(batch == partner[tuple(x)]).all(axis=1).any() for x in batch]
        np.testing.assert_array_equal(moved, inside)
        n_pairs += sum(inside)
    assert n_pairs > 4


def test_the_given_model_is_left_alone(X):
    model = LinearMMD(random_state=0, max_iter=3, **PUBLISHED).fit(X)
    constrained = add_mlcl_constraint(model, must_link=[[0, 1]])
    assert constrained is not model
    assert model._constraints is None
    assert not hasattr(constrained, "labels_")
    assert constrained.get_params() == model.get_params() | {"factor": 1.0}


@pytest.mark.parametrize(
    "duplicate",
    [
        clone,
        copy.copy,
        copy.deepcopy,
        lambda model: pickle.loads(pickle.dumps(model)),
        lambda model: clone(clone(model)).set_params(max_iter=3),
    ],
    ids=["clone", "copy", "deepcopy", "pickle", "set_params"],
)
def test_constraints_stay_with_duplicates(duplicate, X):
    model = LinearMMD(random_state=0, max_iter=3, **PUBLISHED)
    constrained = add_mlcl_constraint(model, [[0, 1]], [[2, 3]], factor=5.0)
    expected = constrained.fit(X).predict_proba(X)
    assert not np.array_equal(expected, model.fit(X).predict_proba(X))
    twin = duplicate(constrained).fit(X)
    np.testing.assert_array_equal(twin.predict_proba(X), expected)


def test_applying_twice_adds_up(X):
    model = LinearMMD(random_state=0, max_iter=3, **PUBLISHED)
    once = add_mlcl_constraint(model, [[0, 1], [0, 1]], [[2, 3]], factor=2.0)
    twice = add_mlcl_constraint(model, [[0, 1]], [[2, 3]], factor=2.0)
    twice = add_mlcl_constraint(twice, [[0, 1]], factor=2.0)
    np.testing.assert_array_equal(
        once.fit(X).predict_proba(X), twice.fit(X).predict_proba(X)
    )
    # Each keeps its own factor.
    one_two = add_mlcl_constraint(
        add_mlcl_constraint(model, [[0, 1]]), [[0, 1]], None, 2.0
    )
    three = add_mlcl_constraint(model, [[0, 1]], factor=3.0)
    np.testing.assert_allclose(
        one_two.fit(X).predict_proba(X), three.fit(X).predict_proba(X), rtol=1e-12
    )


def test_the_factor_is_a_parameter(X):
    model = LinearMMD(random_state=0, max_iter=3, **PUBLISHED)
    linked = add_mlcl_constraint(model, [[0, 1]], [[2, 3]], factor=5.0)
    assert linked.get_params()["factor"] == 5.0
    assert "factor" not in model.get_params()
    changed = clone(linked).set_params(factor=0.5, max_iter=2)
    assert changed.get_params()["factor"] == 0.5 and changed.max_iter == 2
    assert linked.get_params()["factor"] == 5.0
    expected = add_mlcl_constraint(
        model.set_params(max_iter=2), [[0, 1]], [[2, 3]], factor=0.5
    )
    np.testing.assert_array_equal(
        changed.fit(X).predict_proba(X), expected.fit(X).predict_proba(X)
    )
    twin = clone(changed).set_params(**changed.get_params())
    assert twin.get_params() == changed.get_params()
    with pytest.raises(ValueError, match="factor must be of constraints"):
        model.set_params(factor=2.0)


@pytest.mark.parametrize(
    ("factor", "error"), [(-1.0, ValueError), ("1", TypeError), (np.nan, ValueError)]
)
def test_a_bad_factor_is_refused_by_fit(factor, error, X):
    linked = add_mlcl_constraint(LinearMMD(max_iter=3, **PUBLISHED), [[0, 1]])
    linked.set_params(factor=factor)
    with pytest.raises(error, match="factor must be"):
        linked.fit(X)


def test_factors_of_their_own_and_a_common_one(X):
    model = LinearMMD(random_state=0, max_iter=3, **PUBLISHED)
    one = add_mlcl_constraint(model, [[0, 1]], factor=1.0)
    mixed = add_mlcl_constraint(one, None, [[2, 3]], factor=4.0)
    assert mixed.get_params()["factor"] is None
    expected = mixed.fit(X).predict_proba(X)
    same = clone(mixed).set_params(factor=2.0)
    two = add_mlcl_constraint(model, [[0, 1]], [[2, 3]], factor=2.0)
    np.testing.assert_array_equal(
        same.fit(X).predict_proba(X), two.fit(X).predict_proba(X)
    )
    back = clone(same).set_params(factor=None)
    np.testing.assert_array_equal(back.fit(X).predict_proba(X), expected)
    kept = clone(two).set_params(factor=None)
    assert kept.get_params()["factor"] == 2.0
    both = add_mlcl_constraint(two, [[5, 6]], factor=2.0)
    assert both.get_params()["factor"] == 2.0
    assert "factor" in add_mlcl_constraint(RIM(**PUBLISHED), [[0, 1]]).get_params()


def test_the_factor_is_searched_over(X):
    pipeline = make_pipeline(
        add_mlcl_constraint(
            RIM(max_iter=20, random_state=0, **PUBLISHED), [[0, 39]], X=X
        )
    )
    search = GridSearchCV(
        pipeline, {"rim__factor": [0.0, 3.0]}, cv=KFold(4), error_score="raise"
    )
    search.fit(X)
    scores = search.cv_results_["mean_test_score"]
    assert len(set(scores)) == 2
    assert search.best_estimator_[0].get_params()["factor"] in (0.0, 3.0)
    assert search.best_estimator_[0]._constraints.pairs.tolist() == [[0, 39]]


def test_constraints_are_shown():
    linked = add_mlcl_constraint(LinearMMD(2), [[0, 1], [1, 2]], [[3, 4]], factor=5.0)
    expected = "LinearMMD(factor=5.0, n_clusters=2) with 2 must-link and 1 cannot-link"
    assert repr(linked).startswith(expected)
    assert "with" not in repr(LinearMMD(2))
    assert "factor" in linked._repr_html_()


def test_a_model_with_a_factor_of_its_own_keeps_it(X):
    class Scaled(LinearMMD):
        def __init__(self, n_clusters=2, factor=7.0):
            super().__init__(n_clusters, max_iter=2, solver="adam", random_state=0)
            self.factor = factor

    linked = add_mlcl_constraint(Scaled(), [[0, 1]], factor=2.0)
    assert linked.get_params()["factor"] == 7.0
    clone(linked.set_params(factor=8.0)).fit(X)
    assert linked.factor == 8.0 and linked._constraints.factor == 2.0


def test_contradictions_are_found_through_any_chain():
    model = LinearMMD(**PUBLISHED)
    chain = [[3, 7], [10**9, 7], [10**9, 4], [4, 12], [20, 21]]
    with pytest.raises(ValueError, match=r"\(12, 3\).*12 - 4 - 1000000000 - 7 - 3"):
        add_mlcl_constraint(model, chain, [[20, 3], [12, 3]])
    first = add_mlcl_constraint(model, chain[:2])
    second = add_mlcl_constraint(first, chain[2:])
    with pytest.raises(ValueError, match="must_link connects"):
        add_mlcl_constraint(second, None, [[12, 3]])
    add_mlcl_constraint(second, None, [[12, 20]])


@pytest.mark.parametrize("name", ["must_link", "cannot_link"])
@pytest.mark.parametrize(
    ("pairs", "error", "message"),
    [
        ([[0, 1], [4, 4]], ValueError, r"different samples, got \(4, 4\)"),
        ([[0, -1]], ValueError, "at least 0, got -1"),
        ([0, 1], ValueError, r"shape \(n, 2\), got \(2,\)"),
        ([[0, 1, 2]], ValueError, r"shape \(n, 2\), got \(1, 3\)"),
        ([[0, 1], [2]], ValueError, r"shape \(n, 2\)"),
        ([[0.0, 1.0]], TypeError, "integers, got dtype float64"),
        ([[True, False]], TypeError, "integers, got dtype bool"),
    ],
)
def test_pairs_are_checked(name, pairs, error, message):
    with pytest.raises(error, match=f"{name} must .*{message}"):
        add_mlcl_constraint(LinearMMD(**PUBLISHED), **{name: pairs})


@pytest.mark.parametrize("name", ["must_link", "cannot_link"])
def test_pairs_of_other_kinds_are_refused_by_name(name):
    for pairs in (5, 2.5, object()):
        with pytest.raises(TypeError, match=f"{name} must be pairs .*got .*"):
            add_mlcl_constraint(LinearMMD(**PUBLISHED), **{name: pairs})
    with pytest.raises(TypeError, match=f"{name} must .*'ab'"):
        add_mlcl_constraint(LinearMMD(**PUBLISHED), **{name: "ab"})
    with pytest.raises(TypeError, match=f"{name} must hold integers"):
        add_mlcl_constraint(LinearMMD(**PUBLISHED), **{name: zip("ab", "cd")})


@pytest.mark.parametrize(
    "pairs",
    [
        lambda: zip([0, 2], [1, 3]),
        lambda: ((i, i + 1) for i in (0, 2)),
        lambda: {(0, 1), (2, 3)},
        lambda: pd.DataFrame({"first": [0, 2], "second": [1, 3]}),
    ],
    ids=["zip", "generator", "set", "frame"],
)
def test_iterators_and_sets_of_pairs_are_read(pairs, X):
    constrained = add_mlcl_constraint(LinearMMD(**PUBLISHED), must_link=pairs())
    assert sorted(constrained._constraints.pairs.tolist()) == [[0, 1], [2, 3]]
    empty = add_mlcl_constraint(LinearMMD(max_iter=1, **PUBLISHED), iter(()), set())
    assert empty.fit(X).labels_.shape == (40,)


def test_arguments_are_checked():
    with pytest.raises(TypeError, match="gemini_model"):
        add_mlcl_constraint(Kauri(), [[0, 1]])
    with pytest.raises(TypeError, match="gemini_model"):
        add_mlcl_constraint(LinearMMD, [[0, 1]])
    with pytest.raises(ValueError, match="factor"):
        add_mlcl_constraint(LinearMMD(**PUBLISHED), [[0, 1]], factor=-1.0)
    with pytest.raises(TypeError, match="factor"):
        add_mlcl_constraint(LinearMMD(**PUBLISHED), [[0, 1]], factor="1")


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_indices_beyond_the_data_are_refused(method, X):
    model = add_mlcl_constraint(LinearMMD(**PUBLISHED), [[0, 40]])
    with pytest.raises(ValueError, match="below the 40 samples, got 40.*SampleIndices"):
        getattr(model, method)(X)


def test_no_pairs_change_nothing(X):
    model = LinearMMD(random_state=0, max_iter=3, **PUBLISHED)
    empty = add_mlcl_constraint(model, [], np.empty((0, 2), dtype=int))
    np.testing.assert_array_equal(
        empty.fit(X).predict_proba(X), model.fit(X).predict_proba(X)
    )


def test_batches_without_indices_are_refused(X):
    class Plain(LinearModel):
        def _batchify(self, X, affinity_matrix=None, random_state=None):
            yield X, np.asarray(affinity_matrix)

    with pytest.raises(ValueError, match="_batchify"):
        add_mlcl_constraint(Plain(**PUBLISHED), [[0, 1]]).fit(X)


def test_custom_batches_select_their_pairs(X):
    class Halves(LinearModel):
        def _batchify(self, X, affinity_matrix=None, random_state=None):
            for batch in (np.arange(39, 19, -1), np.arange(20)):
                yield X[batch], affinity_matrix[batch][:, batch]

    class Blocks(LinearModel):
        def _batchify(self, X, affinity_matrix=None, random_state=None):
            for batch in (np.arange(39, 19, -1), np.arange(20)):
                yield X[batch], affinity_matrix[np.ix_(batch, batch)]

    for gemini in ("mmd_ova", "mi"):
        models = [
            add_mlcl_constraint(
                cls(gemini=gemini, max_iter=3, random_state=0, **PUBLISHED),
                [[0, 5]],
                [[25, 39]],
            ).fit(X)
            for cls in (Halves, Blocks)
        ]
        np.testing.assert_array_equal(*[model.predict_proba(X) for model in models])


@pytest.mark.parametrize("batch_size", [None, 7])
@pytest.mark.parametrize("gemini", ["mmd_ova", "mi"])
def test_pairs_follow_their_samples_into_a_fold(gemini, batch_size, X):
    model = LinearModel(
        gemini=gemini, batch_size=batch_size, max_iter=5, random_state=0, **PUBLISHED
    )
    rows = np.array([31, 4, 8, 15, 16, 23, 2, 39, 0, 11])
    whole = add_mlcl_constraint(model, [[4, 39], [1, 8]], [[23, 31]], factor=3.0)
    fold = add_mlcl_constraint(model, [[1, 7]], [[5, 0]], factor=3.0)
    whole.fit(X[rows], SampleIndices(40)[rows])
    np.testing.assert_array_equal(
        whole.predict_proba(X), fold.fit(X[rows]).predict_proba(X)
    )


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("convert", [np.asarray, csr_array])
def test_pairs_find_their_samples_by_their_features(convert, dtype, X):
    X = X.astype(dtype)
    model = LinearModel(gemini="mi", max_iter=5, random_state=0, **PUBLISHED)
    rows = np.array([31, 4, 8, 15, 16, 23, 2, 39, 0, 11])
    whole = add_mlcl_constraint(
        model, [[4, 39], [1, 8]], [[23, 31]], factor=3.0, X=convert(X)
    )
    fold = add_mlcl_constraint(model, [[1, 7]], [[5, 0]], factor=3.0)
    np.testing.assert_array_equal(
        whole.fit(convert(X)[rows]).predict_proba(X),
        fold.fit(convert(X)[rows]).predict_proba(X),
    )
    plain = add_mlcl_constraint(model, [[4, 39], [1, 8]], [[23, 31]], factor=3.0)
    np.testing.assert_array_equal(
        whole.fit(X).predict_proba(X), plain.fit(X).predict_proba(X)
    )


def test_cross_validations_need_nothing_but_the_samples(X):
    model = add_mlcl_constraint(
        RIM(max_iter=5, random_state=0, **PUBLISHED), [[0, 39], [0, 10]], [[1, 38]], X=X
    )
    scores = cross_val_score(model, X, cv=KFold(4), error_score="raise")
    other = add_mlcl_constraint(
        RIM(max_iter=5, random_state=0, **PUBLISHED), [[0, 39], [0, 10]], [[1, 38]]
    )
    expected = cross_val_score(other, X, SampleIndices(40), cv=KFold(4))
    np.testing.assert_array_equal(scores, expected)


def test_data_without_the_samples_are_refused(X):
    model = add_mlcl_constraint(RIM(max_iter=5, **PUBLISHED), [[0, 39]], X=X)
    with pytest.raises(ValueError, match=r"none of those .*X.*SampleIndices"):
        model.fit(X + 1.0)
    scaled = make_pipeline(StandardScaler(), model)
    with pytest.raises(ValueError, match="none of those"):
        scaled.fit(X)
    # The ids of the samples go before their features.
    assert scaled.fit(X, SampleIndices(40)[np.arange(20)])
    with pytest.raises(ValueError, match="below the 40 samples, got 40"):
        add_mlcl_constraint(RIM(**PUBLISHED), [[0, 40]], X=X)


def test_later_constraints_are_of_the_same_samples(X):
    first = add_mlcl_constraint(
        RIM(max_iter=3, random_state=0, **PUBLISHED), [[0, 39]], X=X
    )
    second = add_mlcl_constraint(first, None, [[0, 20]])
    rows = np.arange(39, -1, -1)
    turned = add_mlcl_constraint(
        RIM(max_iter=3, random_state=0, **PUBLISHED), [[39, 0]], [[39, 19]]
    )
    np.testing.assert_array_equal(
        second.fit(X[rows]).predict_proba(X), turned.fit(X[rows]).predict_proba(X)
    )
    with pytest.raises(ValueError, match="X must be the samples"):
        add_mlcl_constraint(first, [[1, 2]], X=X[rows])
    assert add_mlcl_constraint(first, [[1, 2]], X=X)


def test_constraints_are_pickled_with_their_samples(X):
    model = add_mlcl_constraint(
        RIM(max_iter=3, random_state=0, **PUBLISHED), [[0, 39]], X=X
    )
    twin = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(
        twin.fit(X[20:]).predict_proba(X), model.fit(X[20:]).predict_proba(X)
    )


def test_cross_validation_with_indices(X):
    model = add_mlcl_constraint(
        RIM(max_iter=5, random_state=0, **PUBLISHED), [[0, 39]], [[1, 38]]
    )
    scores = cross_val_score(model, X, SampleIndices(40), cv=KFold(4))
    assert np.isfinite(scores).all()
    with pytest.raises(ValueError, match="SampleIndices"):
        cross_val_score(model, X, cv=KFold(4), error_score="raise")


def folds_of_every_kind(model, X):
    """Each fits the model to folds in which pair (0, 10) has other numbers."""
    cv = KFold(4, shuffle=True, random_state=0)
    yield lambda: cross_val_score(model, X, cv=cv, error_score="raise")
    yield lambda: cross_val_predict(model, X, cv=cv)
    grid = {"n_clusters": [2]}
    yield lambda: GridSearchCV(model, grid, cv=cv, error_score="raise").fit(X)
    yield lambda: GridSearchCV(
        make_pipeline(StandardScaler(), model),
        {f"{type(model).__name__.lower()}__n_clusters": [2]},
        cv=cv,
        n_jobs=2,
        error_score="raise",
    ).fit(X)
    yield lambda: learning_curve(
        model, X, None, cv=cv, train_sizes=[0.9], shuffle=True, error_score="raise"
    )
    yield lambda: learning_curve(
        model, X, np.zeros(40), cv=cv, exploit_incremental_learning=True,
        train_sizes=[1.0], error_score="raise",
    )  # fmt: skip
    yield lambda: permutation_test_score(
        model, X, np.zeros(40), cv=cv, n_permutations=1
    )
    yield lambda: KSelector(model, [2], random_state=0).fit(X)


@pytest.mark.parametrize("kind", range(8))
def test_folds_are_refused_without_identity(kind, X):
    """Positions would be those of other samples, without a word."""
    model = RIM(max_iter=2, random_state=0, **PUBLISHED)
    constrained = add_mlcl_constraint(model, [[0, 10]])
    with pytest.raises(ValueError, match="constraints have positions.*SampleIndices"):
        list(folds_of_every_kind(constrained, X))[kind]()
    # Models without pairs, or with pairs of known samples, go through.
    for other in (model, add_mlcl_constraint(model, X=X)):
        assert list(folds_of_every_kind(other, X))[kind]() is not None


def test_halves_of_stability_selection_are_refused_without_identity(X):
    model = SparseLinearMI(max_iter=2, random_state=0, **PUBLISHED)
    constrained = add_mlcl_constraint(model, [[0, 10]])
    selector = StabilitySelection(constrained, n_resamples=2, min_features=1)
    with pytest.raises(ValueError, match="constraints have positions"):
        selector.fit(X)


def test_rows_in_their_places_are_no_fold(X):
    model = RIM(max_iter=2, random_state=0, **PUBLISHED)
    constrained = add_mlcl_constraint(model, [[0, 10]])
    for cv in (whole_data, [(np.arange(30), np.arange(30, 40))]):
        scores = cross_val_score(constrained, X, cv=cv, error_score="raise")
        assert np.isfinite(scores).all()
    # A search whose winner is fitted to all samples.
    search = GridSearchCV(constrained, {"reg": [0.1, 0.2]}, cv=whole_data)
    assert search.fit(X).best_estimator_.labels_.shape == (40,)


def test_cross_validation_with_a_precomputed_kernel_and_batches(X):
    model = LinearMMD(
        kernel="precomputed", max_iter=5, batch_size=9, random_state=0, **PUBLISHED
    )
    model = add_mlcl_constraint(model, [[0, 39]], [[1, 38]])
    search = GridSearchCV(model, {"n_clusters": [2, 3]}, cv=KFold(4), refit=True)
    search.fit(X, DenseKernel(X @ X.T))
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.best_estimator_._constraints.pairs.tolist() == [[0, 39], [1, 38]]


@pytest.mark.parametrize("cls", [MLPModel, CategoricalModel])
def test_restarts_keep_constraints(cls, X):
    model = cls(
        gemini="mi",
        n_init=2,
        max_iter=200,
        learning_rate=0.05,
        random_state=0,
        **PUBLISHED,
    )
    linked = add_mlcl_constraint(model, [[0, 1]], [[2, 3]], factor=5.0).fit(X)
    assert linked.labels_[0] == linked.labels_[1]
    assert linked.labels_[2] != linked.labels_[3]
