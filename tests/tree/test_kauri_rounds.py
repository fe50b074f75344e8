"""Every round of the growth against all splits there are, and the order of ties."""

from itertools import pairwise

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


def kind_of(k, left, right):
    """Number of the kind of a filing, from the simplest on, as in `SPLIT_KINDS`."""
    if NEW in (left, right):
        return 2 if left == right else 1
    return 3 if k in (left, right) else 4


def all_splits(X, kernel, leaves, labels, max_clusters, min_leaf):
    """Rows (leaf, kind, margin, threshold, feature, gain) of every split there is.

    `leaves` are the samples of each, in the order of the numbers of the leaves.
    """
    clusters = np.unique(labels).tolist()
    fresh, ranges = labels.max() + 1, np.ptp(X, axis=0)
    candidates, rows = [], []
    for number, here in enumerate(leaves):
        k = labels[here[0]]
        is_whole = len(here) == (labels == k).sum()
        sides = filings(k, clusters, is_whole, max_clusters - len(clusters))
        if not sides:
            continue
        left_to = np.array([fresh if a == NEW else a for a, _ in sides])
        right_to = np.array([fresh + 1 if b == NEW else b for _, b in sides])
        kinds = [kind_of(k, *pair) for pair in sides]
        for feature in range(X.shape[1]):
            values = np.unique(X[here, feature])
            for low, high in pairwise(values):
                goes_left = X[here, feature] <= low
                n_left = goes_left.sum()
                if min(n_left, len(here) - n_left) < min_leaf:
                    continue
                filed = np.tile(labels, (len(sides), 1))
                filed[:, here[goes_left]] = left_to[:, None]
                filed[:, here[~goes_left]] = right_to[:, None]
                candidates.append(filed)
                margin = (high - low) / ranges[feature]
                cut = (margin, (low + high) / 2, feature)
                rows += [(number, kind, *cut) for kind in kinds]
    if not rows:
        return np.empty((0, 6))
    every = np.concatenate(candidates)
    gains = objectives(kernel, every) - objectives(kernel, labels[None])[0]
    return np.column_stack([rows, gains])


def preferred(splits):
    """The row that the documented order of ties puts first."""
    gain = splits[:, 5].max()
    splits = splits[splits[:, 5] >= gain - 1e-9 * abs(gain)]
    for column, wanted in ((0, np.min), (1, np.min), (2, np.max), (3, np.min)):
        best = wanted(splits[:, column])
        splits = splits[np.abs(splits[:, column] - best) <= 1e-9 * abs(best)]
    return splits[splits[:, 4].argmin()]


def check_rounds(X, kernel, model):
    """Replay the tree: each split is the one wanted, and the last leaves nothing.

    Returns the number of rounds and the kinds of splits met.
    """
    tree = model.tree_
    leaves, labels = [np.arange(len(X))], np.zeros(len(X), int)
    nodes = [0]  # of the leaves
    tolerance = 1e-9 * np.abs(kernel).sum()
    inner = np.flatnonzero(tree.children_left >= 0)
    rules = model.max_clusters, model.min_samples_leaf
    for parent in inner[np.argsort(tree.children_left[inner])]:
        number = nodes.index(parent)
        wanted = preferred(all_splits(X, kernel, leaves, labels, *rules))
        assert tree.gains[parent] == pytest.approx(wanted[5], abs=tolerance)
        feature, threshold = tree.features[parent], tree.thresholds[parent]
        found = (number, tree.kinds[parent], threshold, feature)
        assert found == pytest.approx(wanted[[0, 1, 3, 4]], rel=1e-12)
        before = objectives(kernel, labels[None])[0]
        here = leaves[number]
        goes_left = X[here, feature] <= threshold
        left, right = tree.children_left[parent], tree.children_right[parent]
        leaves[number], nodes[number] = here[goes_left], left
        leaves.append(here[~goes_left])
        nodes.append(right)
        # Clusters dissolved since are not among the final ones.
        labels[here[goes_left]] = final_target(tree, left)
        labels[here[~goes_left]] = final_target(tree, right)
        after = objectives(kernel, labels[None])[0]
        assert after - before == pytest.approx(tree.gains[parent], abs=tolerance)
    splits = all_splits(X, kernel, leaves, labels, *rules)
    assert splits[:, 5].max(initial=0.0) <= tolerance
    return len(inner) + 1, tree.kinds[inner]


def final_target(tree, node):
    """Cluster of a node when it was made; -1 is a dissolved one, kept apart."""
    target = tree.target[node]
    return target if target >= 0 else len(tree.target)


# Kinds of kernels -> rounds.
ROUNDS = {"linear": 400, "rbf": 400, "indefinite": 600, "ties": 400}
ROUNDS |= {"binary": 900, "small integers": 900}


@pytest.mark.parametrize("kind", ROUNDS)
def test_every_round_takes_the_best_split(kind):
    n_rounds, kinds = 0, []
    seed = 0
    while n_rounds < ROUNDS[kind]:
        rng = np.random.RandomState(seed)
        seed += 1
        n = rng.randint(6, 13)
        X = rng.randn(n, 2)
        if kind == "ties":
            X = rng.randint(0, 4, size=(n, 2)).astype(float)
        model = Kauri(
            max_clusters=int(rng.randint(2, 9)),
            min_samples_leaf=int(rng.choice([1, 1, 2])),
            kernel="rbf" if kind == "rbf" else "linear",
        )
        if kind == "rbf":
            model.kernel_params = {"gamma": 1.0}
        kernel = pairwise_kernels(X, metric=model.kernel, **(model.kernel_params or {}))
        if kind in ("indefinite", "small integers"):
            kernel = rng.uniform(-1, 1, size=(n, n))
            if kind == "small integers":
                kernel = rng.randint(-1, 2, size=(n, n)).astype(float)
            kernel += kernel.T
            model.kernel = "precomputed"
        if kind == "binary":  # many samples coincide in the space of the kernel
            Z = rng.randint(0, 2, size=(n, 3)).astype(float)
            kernel, model.kernel = Z @ Z.T, "precomputed"
        model.fit(X, kernel)
        if (model.tree_.target < 0).sum() > 1:
            continue  # which of several dissolved clusters it was is not told
        rounds, met = check_rounds(X, kernel, model)
        n_rounds += rounds
        kinds.extend(met)
    counts = np.bincount(kinds, minlength=5)
    if kind == "indefinite":
        assert (counts[1:] > 0).all(), counts


# Found among 6000: both sides want one cluster, and the second choice of one of them
# is neither the first nor the second that was looked at.
@pytest.mark.parametrize("seed", [5732, 5972])
def test_the_second_choice_of_a_refurbishment(seed):
    rng = np.random.RandomState(seed)
    n = int(rng.randint(9, 21))
    X = rng.randn(n, int(rng.randint(1, 4)))
    kernel = rng.uniform(-1, 1, (n, n))
    kernel = kernel + kernel.T
    model = Kauri(max_clusters=int(rng.randint(4, 9)), kernel="precomputed")
    check_rounds(X, kernel, model.fit(X, kernel))


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


def test_a_star_is_taken_before_a_switch_that_gains_as_much():
    # In the space of the kernel the last sample is a copy of the first: to join it
    # costs nothing, as to found a cluster does.
    Z = np.array([[0.0], [10.0], [0.0]])
    X = np.arange(3.0)[:, None]
    for max_clusters, kind in [(3, 1), (2, 3)]:
        model = Kauri(max_clusters=max_clusters, kernel="precomputed").fit(X, Z @ Z.T)
        tree = model.tree_
        assert tree.kinds[tree.children_left >= 0].tolist() == [1, kind]
        assert model.n_clusters_ == max_clusters


def test_gains_that_agree_to_nine_digits_are_equal():
    """The second leaf gains more by 2e-10 of it: the first is split all the same."""
    X = np.array([[0.0], [1.0], [10.0], [11.0 + 1e-10]])
    tree = Kauri(max_clusters=4).fit(X).tree_
    assert tree.gains[2] > tree.gains[1] > 0
    assert tree.children_left.tolist() == [1, 3, 5, -1, -1, -1, -1]
    # And not by much more than that.
    X[3] += 1e-6
    tree = Kauri(max_clusters=4).fit(X).tree_
    assert tree.children_left.tolist() == [1, 5, 3, -1, -1, -1, -1]


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


@pytest.mark.parametrize(
    ("min_gain", "n_leaves"),
    [(0.0, 4), (0.0049, 4), (0.0050, 2), (0.990, 2), (0.9902, 1)],
)
def test_a_split_must_gain_its_fraction_of_the_scatter(min_gain, n_leaves):
    # Scatter 101; the first split gains 100, each of the others 0.5.
    X = np.array([[0.0], [1.0], [10.0], [11.0]])
    assert Kauri(4, min_gain=min_gain).fit(X).tree_.n_leaves == n_leaves


def test_there_are_never_more_clusters_than_allowed():
    """Indefinite kernels, for which two new clusters may gain more than one."""
    for seed in range(900):
        rng = np.random.RandomState(seed)
        n = int(rng.randint(5, 13))
        X = rng.randn(n, 2)
        kernel = rng.uniform(-1, 1, size=(n, n))
        most = int(rng.choice([3, 4, 5]))
        model = Kauri(max_clusters=most, kernel="precomputed").fit(X, kernel + kernel.T)
        assert model.n_clusters_ <= most
        assert model.labels_.max() < most


@pytest.mark.parametrize("kind", ["factor", "matrix"])
def test_many_clusters_outgrow_the_first_room_for_them(kind):
    """There is room for 4 at first, then for twice as many."""
    X = np.repeat(np.arange(23.0), 2)[:, None] ** 1.5
    kernel, y = ("linear", None) if kind == "factor" else ("precomputed", X @ X.T)
    for max_clusters in (4, 5, 8, 9, 16, 17, 23):
        model = Kauri(max_clusters=max_clusters, kernel=kernel).fit(X, y)
        assert model.n_clusters_ == max_clusters
        gains = model.tree_.gains.sum()
        sums = [X[model.labels_ == k].sum() for k in range(max_clusters)]
        sizes = np.bincount(model.labels_)
        expected = (np.square(sums) / sizes).sum() - X.sum() ** 2 / len(X)
        assert gains == pytest.approx(expected, rel=1e-9)
