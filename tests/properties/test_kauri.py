"""Properties of every tree, whatever the data."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics.pairwise import pairwise_kernels
from strategies import examples, few, seeds

from gemclus.tree import Kauri
from gemclus.tree._kauri.kernel import objective, tree_affinity


@st.composite
def growths(draw):
    """Data, often with ties, and the rules of a tree."""
    rng = np.random.default_rng(draw(seeds))
    n, d = draw(st.integers(2, 40)), draw(st.integers(1, 4))
    X = rng.normal(size=(n, d))
    if draw(st.booleans()):
        X = np.round(X * draw(st.sampled_from([1.0, 4.0])))
    rules = {
        "max_clusters": draw(st.integers(1, 7)),
        "max_depth": draw(st.sampled_from([None, 1, 2, 4])),
        "max_leaves": draw(st.sampled_from([None, 2, 5])),
        "min_samples_leaf": draw(st.integers(1, 4)),
        "min_samples_split": draw(st.integers(2, 6)),
        "kernel": draw(st.sampled_from(["linear", "rbf", "laplacian", "poly"])),
    }
    return X, rules, rng


@given(growth=growths())
@examples(80)
def test_rules_hold_and_gains_add_up(growth):
    X, rules, _ = growth
    model = Kauri(**rules).fit(X)
    tree, n = model.tree_, len(X)
    inner = tree.children_left >= 0
    np.testing.assert_array_equal(model.predict(X), model.labels_)
    assert model.n_clusters_ <= rules["max_clusters"]
    assert tree.n_leaves <= (rules["max_leaves"] or n)
    assert tree.depths.max() <= (rules["max_depth"] or n)
    if inner.any():
        assert tree.sizes[~inner].min() >= rules["min_samples_leaf"]
        assert tree.sizes[inner].min() >= rules["min_samples_split"]
        assert (tree.gains[inner] > 0).all()
    leaves, sizes = np.unique(model.apply(X), return_counts=True)
    np.testing.assert_array_equal(sizes, tree.sizes[leaves])
    affinity = tree_affinity(X, rules["kernel"])
    before = objective(affinity, np.zeros(n, dtype=int))
    gained = model.score(X) - before
    scale = 1e-9 * np.abs(np.asarray(affinity)).sum()
    np.testing.assert_allclose(tree.gains.sum(), gained, atol=scale)


@given(growth=growths())
@examples(50)
def test_permuted_samples_and_constant_features_change_nothing(growth):
    X, rules, rng = growth
    rules["kernel"] = "precomputed"
    kernel = X @ X.T
    model = Kauri(**rules).fit(X, kernel)
    order = rng.permutation(len(X))
    moved = Kauri(**rules).fit(X[order], kernel[np.ix_(order, order)])
    np.testing.assert_array_equal(moved.labels_, model.labels_[order])
    wider = np.c_[np.full(len(X), 3.0), X, np.zeros(len(X))]
    np.testing.assert_array_equal(
        Kauri(**rules).fit(wider, kernel).labels_, model.labels_
    )


@given(growth=growths(), power=st.integers(-30, 30), shift=few)
@examples(50)
def test_units_of_the_features_change_nothing(growth, power, shift):
    """Powers of two: what is computed is the same to the bit."""
    X, rules, _ = growth
    X = np.round(X * 64) / 64
    kernel = pairwise_kernels(X, metric="rbf")
    kernel = (kernel + kernel.T) / 2
    rules["kernel"] = "precomputed"
    model = Kauri(**rules).fit(X, kernel)
    other = Kauri(**rules).fit(np.ldexp(X + shift, power), kernel)
    np.testing.assert_array_equal(other.labels_, model.labels_)
    inner = model.tree_.children_left >= 0
    np.testing.assert_array_equal(
        other.tree_.thresholds[inner],
        np.ldexp(model.tree_.thresholds[inner] + shift, power),
    )


@given(seed=seeds, n=st.integers(4, 30), labels=st.integers(1, 5))
@examples(40)
def test_an_unlimited_tree_tells_all_labels(seed, n, labels):
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(n, 3)), rng.integers(labels, size=n)
    names, y = np.unique(y, return_inverse=True)
    model = Kauri(max_clusters=len(names), kernel="labels").fit(X, y)
    # Impurity 0 where the greedy growth gets that far: never below the parts.
    assert model.score(X, y) <= n + 1e-9
    assert model.tree_.gains.sum() == np.float64(model.tree_.gains.sum())
    members = np.eye(len(names))[y]
    total = sum(
        (members[model.labels_ == k].sum(axis=0) ** 2).sum()
        / (model.labels_ == k).sum()
        for k in range(model.n_clusters_)
    )
    np.testing.assert_allclose(model.score(X, y), total)
