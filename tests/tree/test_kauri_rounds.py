"""Every round of the growth against all splits there are, and the order of ties."""

import numpy as np
import pytest
from sklearn.metrics.pairwise import pairwise_kernels

from gemclus.tree import Kauri

# Raw columns of very different scales are as good as any here.
pytestmark = pytest.mark.filterwarnings("ignore:feature .* of the scatter of X")

NEW = -1  # stands for a new cluster


def filings(k, clusters, is_whole, room):
    """Pairs (left, right) of clusters to which the sides of a leaf of `k` may go."""
    others = [c for c in clusters if c != k]
    pairs = []
    if room > 0:
        pairs += [(k, NEW), (NEW, k)]
    if room > 1 and not is_whole:
        pairs.append((NEW, NEW))
    pairs += [(k, c) for c in others] + [(c, k) for c in others]
    pairs += [(a, b) for a in others for b in others if a != b]
    return pairs


def objectives(kernel, labellings):
    """J of each row of labels, by its definition."""
    one_hot = labellings[:, :, None] == np.arange(labellings.max() + 1)
    one_hot = one_hot.astype(float)
    sums = (one_hot * (kernel @ one_hot)).sum(axis=1)
    sizes = one_hot.sum(axis=1)
    return np.where(sizes > 0, sums / np.maximum(sizes, 1), 0).sum(axis=1)


def best_gain(X, kernel, node, labels, max_clusters, min_leaf):
    """The most that any split of any leaf raises J."""
    clusters = np.unique(labels).tolist()
    fresh = labels.max() + 1
    candidates = []
    for leaf in np.unique(node):
        here = np.flatnonzero(node == leaf)
        k = labels[here[0]]
        is_whole = len(here) == (labels == k).sum()
        room = max_clusters - len(clusters)
        pairs = filings(k, clusters, is_whole, room)
        if not pairs:
            continue
        sides = np.array(pairs)
        left_to = np.where(sides[:, 0] == NEW, fresh, sides[:, 0])
        right_to = np.where(sides[:, 1] == NEW, fresh + 1, sides[:, 1])
        for feature in range(X.shape[1]):
            values = np.unique(X[here, feature])
            for value in values[:-1]:
                goes_left = X[here, feature] <= value
                n_left = goes_left.sum()
                if min(n_left, len(here) - n_left) < min_leaf:
                    continue
                filed = np.tile(labels, (len(pairs), 1))
                filed[:, here] = np.where(
                    goes_left, left_to[:, None], right_to[:, None]
                )
                candidates.append(filed)
    if not candidates:
        return 0.0
    every = np.concatenate(candidates)
    return (objectives(kernel, every) - objectives(kernel, labels[None])[0]).max()


def check_rounds(X, kernel, model):
    """Replay the tree: each split gains the most, and the last leaves nothing.

    Returns the number of rounds and the kinds of splits met.
    """
    tree = model.tree_
    node, labels = np.zeros(len(X), int), np.zeros(len(X), int)
    tolerance = 1e-9 * np.abs(kernel).sum()
    inner = np.flatnonzero(tree.children_left >= 0)
    rules = model.max_clusters, model.min_samples_leaf
    for parent in inner[np.argsort(tree.children_left[inner])]:
        expected = best_gain(X, kernel, node, labels, *rules)
        assert tree.gains[parent] == pytest.approx(expected, abs=tolerance)
        before = objectives(kernel, labels[None])[0]
        here = node == parent
        goes_left = X[:, tree.features[parent]] <= tree.thresholds[parent]
        left, right = tree.children_left[parent], tree.children_right[parent]
        node[here & goes_left], node[here & ~goes_left] = left, right
        # Clusters dissolved since are not among the final ones.
        targets = np.array([final_target(tree, left), final_target(tree, right)])
        labels[here] = np.where(goes_left[here], *targets)
        after = objectives(kernel, labels[None])[0]
        assert after - before == pytest.approx(tree.gains[parent], abs=tolerance)
    assert best_gain(X, kernel, node, labels, *rules) <= tolerance
    return len(inner) + 1, tree.kinds[inner]


def final_target(tree, node):
    """Cluster of a node when it was made; -1 is a dissolved one, kept apart."""
    target = tree.target[node]
    return target if target >= 0 else len(tree.target)


@pytest.mark.parametrize("kind", ["linear", "rbf", "indefinite", "ties"])
def test_every_round_takes_the_best_split(kind):
    n_rounds, kinds = 0, []
    seed = 0
    while n_rounds < 600:
        rng = np.random.RandomState(seed)
        seed += 1
        n = rng.randint(6, 13)
        X = rng.randn(n, 2)
        if kind == "ties":
            X = rng.randint(0, 4, size=(n, 2)).astype(float)
        model = Kauri(
            max_clusters=int(rng.randint(2, 8)),
            min_samples_leaf=int(rng.choice([1, 1, 2])),
            kernel="rbf" if kind == "rbf" else "linear",
        )
        if kind == "rbf":
            model.kernel_params = {"gamma": 1.0}
        kernel = pairwise_kernels(X, metric=model.kernel, **(model.kernel_params or {}))
        if kind == "indefinite":
            kernel = rng.uniform(-1, 1, size=(n, n))
            kernel += kernel.T
            model.kernel = "precomputed"
        model.fit(X, kernel)
        if (model.tree_.target < 0).sum() > 1:
            continue  # which of several dissolved clusters it was is not told
        rounds, met = check_rounds(X, kernel, model)
        n_rounds += rounds
        kinds.extend(met)
    counts = np.bincount(kinds, minlength=5)
    if kind == "indefinite":
        assert (counts[1:] > 0).all(), counts


def same_growth(a, b):
    np.testing.assert_array_equal(a.tree_.children_left, b.tree_.children_left)
    np.testing.assert_array_equal(a.tree_.features, b.tree_.features)
    np.testing.assert_array_equal(a.tree_.thresholds, b.tree_.thresholds)
    np.testing.assert_array_equal(a.tree_.target, b.tree_.target)


@pytest.mark.parametrize("kernel", ["linear", "rbf", "laplacian"])
@pytest.mark.parametrize("n_clusters", [3, 4, 6, 9])
def test_bounds_rule_out_nothing_for_any_definite_kernel(kernel, n_clusters):
    """Against a precomputed matrix, which is not known to be definite."""
    for seed in range(4):
        rng = np.random.RandomState(seed)
        X = rng.randn(150, 3) * [1.0, 3.0, 0.3]
        X[: 20 * seed] += 4.0  # clusters of very different sizes
        if seed % 2:
            X = np.round(X, 1)
        gamma = {} if kernel == "linear" else {"kernel_params": {"gamma": 0.5}}
        bounded = Kauri(max_clusters=n_clusters, kernel=kernel, **gamma).fit(X)
        matrix = pairwise_kernels(X, metric=kernel, **gamma.get("kernel_params", {}))
        full = Kauri(max_clusters=n_clusters, kernel="precomputed").fit(X, matrix)
        assert full.tree_.n_leaves >= n_clusters
        same_growth(bounded, full)


def test_bounds_rule_out_nothing_on_many_small_data():
    """Few samples in many clusters: sizes change by large factors."""
    for seed in range(400):
        rng = np.random.RandomState(seed)
        n = int(rng.randint(12, 50))
        X = rng.randn(n, 2) * rng.choice([0.3, 1.0, 3.0], size=2)
        gamma = float(rng.choice([0.05, 0.5, 5.0]))
        rules = {"max_clusters": int(rng.randint(3, 9))}
        rules["min_samples_leaf"] = int(rng.choice([1, 1, 3]))
        params = {"gamma": gamma}
        bounded = Kauri(kernel="rbf", kernel_params=params, **rules).fit(X)
        matrix = pairwise_kernels(X, metric="rbf", **params)
        same_growth(bounded, Kauri(kernel="precomputed", **rules).fit(X, matrix))


# Found among 20 000: a cluster shrinks, and what is left of it gains more by that
# than by the distances alone.
@pytest.mark.parametrize("seed", [16142, 18644, 19873])
def test_bounds_grow_with_what_a_cluster_has_lost(seed):
    rng = np.random.RandomState(seed)
    n, d = rng.randint(8, 80), rng.randint(1, 4)
    X = rng.randn(n, d) * rng.choice([0.3, 1, 3], size=d)
    if rng.rand() < 0.5:
        X[: n // 3] += rng.randn(d) * 4
    if rng.rand() < 0.3:
        X = rng.standard_t(1.5, size=(n, d))
    rules = {"max_clusters": int(rng.randint(3, 9))}
    rules["min_samples_leaf"] = int(rng.choice([1, 1, 2, 4]))
    assert rng.rand() >= 0.5
    params = {"gamma": float(rng.choice([0.02, 0.2, 1, 5]))}
    bounded = Kauri(kernel="rbf", kernel_params=params, **rules).fit(X)
    matrix = pairwise_kernels(X, metric="rbf", **params)
    matrix = (matrix + matrix.T) / 2
    same_growth(bounded, Kauri(kernel="precomputed", **rules).fit(X, matrix))


# Ties


def test_of_equal_leaves_the_first_is_split_first():
    X = np.array([[0.0], [1.0], [10.0], [11.0]])
    tree = Kauri(max_clusters=4).fit(X).tree_
    assert tree.children_left.tolist() == [1, 3, 5, -1, -1, -1, -1]
    assert tree.target[tree.children_left < 0].tolist() == [0, 2, 1, 3]


def test_of_equal_cuts_the_lowest_threshold_is_taken():
    for X in ([[0.0], [1.0], [2.0]], [[-3.0], [-1.0], [1.0], [3.0], [5.0]]):
        tree = Kauri(max_clusters=2, max_leaves=2).fit(X).tree_
        middle = 0.5 if len(X) == 3 else 0.0
        assert tree.thresholds[0] == middle


def test_of_equal_partitions_the_widest_gap_is_taken():
    """Relative to the range of the feature, which need not be the first."""
    one = np.array([0.0, 1.0, 5.0, 6.0])  # gap 4 of 6
    two = np.array([0.0, 10.0, 90.0, 100.0])  # gap 80 of 100
    kernel = np.kron(np.eye(2), np.ones((2, 2)))
    for X, feature in [
        (np.c_[one, two], 1),
        (np.c_[two, one], 0),
        (np.c_[one, two / 1e6], 1),
        (np.c_[one, one], 0),
        (np.c_[np.zeros(4), one], 1),
    ]:
        tree = Kauri(max_clusters=2, kernel="precomputed").fit(X, kernel).tree_
        assert tree.features[0] == feature


def test_of_equal_gains_the_simplest_filing_is_taken():
    # Three points far from each other and one leaf between two clusters: joining
    # either is as good as founding one only where nothing else gains.
    X = np.arange(4.0)[:, None]
    kernel = np.eye(4)
    tree = Kauri(max_clusters=4, kernel="precomputed").fit(X, kernel).tree_
    assert set(tree.kinds[tree.children_left >= 0].tolist()) == {1}
    assert tree.n_leaves == 4
    # Every split gains 1: leaves in their order, thresholds from the lowest on.
    assert tree.thresholds[tree.children_left >= 0].tolist() == [0.5, 1.5, 2.5]


# Rules


def sizes(model):
    tree = model.tree_
    return tree.sizes[tree.children_left < 0].tolist()


@pytest.mark.parametrize(
    ("fraction", "expected"),
    [
        (0.2, [2, 5]),
        (0.28, [2, 5]),
        (0.29, [3, 4]),
        (0.3, [3, 4]),
        (2, [2, 5]),
        (3, [3, 4]),
    ],
)
def test_a_fraction_of_samples_in_a_leaf_is_rounded_up(fraction, expected):
    X = np.array([0.0, 0.1, 5.0, 5.1, 5.2, 5.3, 5.4])[:, None]
    model = Kauri(max_clusters=2, max_leaves=2, min_samples_leaf=fraction).fit(X)
    assert sizes(model) == expected


@pytest.mark.parametrize(
    ("fraction", "n_leaves"),
    [(3, 7), (0.4, 7), (0.5, 4), (4, 4), (0.58, 3), (5, 3), (0.72, 2), (1.0, 2)],
)
def test_a_fraction_of_samples_in_a_split_is_rounded_up(fraction, n_leaves):
    # 3 samples, then 4: each apart from the others.
    X = np.array([0.0, 1.0, 2.2, 100.0, 101.0, 102.2, 103.6])[:, None]
    model = Kauri(max_clusters=7, min_samples_split=fraction).fit(X)
    assert model.tree_.sizes[0] == 7
    inner = model.tree_.children_left >= 0
    smallest = fraction if fraction >= 2 else np.ceil(fraction * 7)
    assert model.tree_.sizes[inner].min() >= smallest
    leaves = model.tree_.sizes[~inner]
    assert leaves.max() < max(smallest, 2)


@pytest.mark.parametrize(
    ("n_features", "named", "count"),
    [
        (64, "sqrt", 8),
        (64, "log2", 6),
        (10, "sqrt", 3),
        (10, "log2", 3),
        (5, "sqrt", 2),
        (7, "log2", 2),
        (1, "log2", 1),
        (1, "sqrt", 1),
        (10, 0.35, 3),
        (10, 0.05, 1),
        (10, 1.0, 10),
    ],
)
def test_names_and_fractions_of_features_are_numbers_of_them(n_features, named, count):
    X = np.random.RandomState(0).randn(60, n_features)
    for seed in range(3):
        by_name = Kauri(4, max_features=named, random_state=seed).fit(X)
        by_count = Kauri(4, max_features=count, random_state=seed).fit(X)
        same_growth(by_name, by_count)
    if 1 < count < n_features:
        other = Kauri(4, max_features=count - 1, random_state=seed).fit(X)
        assert not np.array_equal(other.tree_.features, by_count.tree_.features)
