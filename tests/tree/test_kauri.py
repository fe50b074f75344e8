"""The Kauri tree: objective, gains, invariances, rules, and refusals."""

import pickle
import signal
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.datasets import load_breast_cancer, load_iris, load_wine, make_blobs
from sklearn.exceptions import NotFittedError
from sklearn.metrics import adjusted_rand_score
from sklearn.metrics.pairwise import kernel_metrics, pairwise_kernels
from sklearn.preprocessing import StandardScaler, scale

from gemclus.tree import Kauri

# Raw columns of very different scales are as good as any here.
pytestmark = pytest.mark.filterwarnings("ignore:feature .* of the scatter of X")

NAMED_KERNELS = sorted(set(kernel_metrics()))


def naive_objective(kernel, labels):
    """J, by its definition."""
    value = 0.0
    for k in set(labels.tolist()):
        members = np.flatnonzero(labels == k)
        value += kernel[np.ix_(members, members)].sum() / len(members)
    return value


def replayed_gains(tree, X, kernel):
    """Reported gain and recomputed change of J of each split, in their order."""
    node = np.zeros(len(X), dtype=int)
    labels = np.zeros(len(X), dtype=int)
    before = naive_objective(kernel, labels)
    pairs = []
    inner = np.flatnonzero(tree.children_left >= 0)
    for parent in inner[np.argsort(tree.children_left[inner])]:
        left, right = tree.children_left[parent], tree.children_right[parent]
        here = node == parent
        goes_left = X[:, tree.features[parent]] <= tree.thresholds[parent]
        node[here & goes_left], node[here & ~goes_left] = left, right
        labels[here] = tree.target[node[here]]
        after = naive_objective(kernel, labels)
        pairs.append((tree.gains[parent], after - before))
        before = after
    return np.array(pairs).reshape(-1, 2)


def blobs(n_samples=60, n_features=3, seed=0):
    return make_blobs(n_samples, n_features, centers=4, random_state=seed)[0]


def same_tree(a, b):
    return (
        np.array_equal(a.children_left, b.children_left)
        and np.array_equal(a.features, b.features)
        and np.array_equal(a.target, b.target)
    )


def test_published_iris():
    X, y = load_iris(return_X_y=True)
    tree = Kauri(max_clusters=3, max_depth=3, kernel="linear").fit(X)
    assert tree.score(X) == pytest.approx(9459.167022308, rel=1e-9)
    assert adjusted_rand_score(y, tree.labels_) == pytest.approx(0.71728, abs=5e-6)


@pytest.mark.parametrize("load", [load_iris, load_wine, load_breast_cancer])
def test_an_unlimited_tree_is_as_tight_as_kmeans(load):
    X, y = load(return_X_y=True)
    X = scale(X)
    k = len(np.unique(y))
    tree = Kauri(max_clusters=k).fit(X)
    loss = (X**2).sum() - tree.score(X)
    kmeans = KMeans(k, n_init=10, random_state=0).fit(X)
    assert loss / kmeans.inertia_ <= 1.02


@pytest.mark.parametrize("kernel", NAMED_KERNELS)
def test_gains_are_the_changes_of_the_objective(kernel):
    X = np.abs(blobs())
    matrix = pairwise_kernels(X, metric=kernel)
    model = Kauri(max_clusters=4, kernel=kernel).fit(X)
    gains = replayed_gains(model.tree_, X, matrix)
    assert len(gains) > 1
    np.testing.assert_allclose(
        gains[:, 0], gains[:, 1], rtol=1e-7, atol=1e-11 * np.trace(np.abs(matrix))
    )
    assert model.score(X) == pytest.approx(naive_objective(matrix, model.labels_))


@pytest.mark.parametrize("kernel", NAMED_KERNELS)
def test_factors_and_matrices_give_the_same_tree(kernel):
    X = np.abs(blobs(100))
    by_name = Kauri(max_clusters=4, kernel=kernel).fit(X)
    matrix = pairwise_kernels(X, metric=kernel)
    given = Kauri(max_clusters=4, kernel="precomputed").fit(X, matrix)
    assert same_tree(by_name.tree_, given.tree_)
    called = Kauri(max_clusters=4, kernel=lambda X: matrix).fit(X)
    assert same_tree(called.tree_, given.tree_)


@pytest.mark.parametrize("n_clusters", [3, 5, 9])
@pytest.mark.parametrize("levels", [None, 6])
def test_bounds_rule_out_nothing_that_gains(n_clusters, levels):
    """A precomputed kernel is not known to be definite: it is scanned in full."""
    X = np.random.RandomState(n_clusters).randn(300, 5)
    if levels is not None:
        X = np.floor(X * levels)
        X[:3] *= 20.0  # clusters of very different sizes
    bounded = Kauri(max_clusters=n_clusters).fit(X)
    full = Kauri(max_clusters=n_clusters, kernel="precomputed").fit(X, X @ X.T)
    assert same_tree(bounded.tree_, full.tree_)
    np.testing.assert_allclose(
        bounded.tree_.gains, full.tree_.gains, rtol=1e-8, atol=1e-9
    )


def test_low_degree_polynomials_never_make_a_matrix():
    X = blobs(200)
    params = {"degree": 2, "coef0": 1.0, "gamma": 0.5}
    by_name = Kauri(kernel="poly", kernel_params=params).fit(X)
    matrix = pairwise_kernels(X, metric="poly", **params)
    given = Kauri(kernel="precomputed").fit(X, matrix)
    assert same_tree(by_name.tree_, given.tree_)


def test_more_features_than_samples():
    X = np.random.RandomState(0).randn(20, 90)
    model = Kauri(max_clusters=3).fit(X)
    gains = replayed_gains(model.tree_, X, X @ X.T)
    np.testing.assert_allclose(gains[:, 0], gains[:, 1], rtol=1e-9, atol=1e-9)
    given = Kauri(max_clusters=3, kernel="precomputed").fit(X, X @ X.T)
    assert same_tree(model.tree_, given.tree_)


def test_every_kind_of_split_on_indefinite_kernels():
    kinds = np.zeros(5, dtype=int)
    for seed in range(400):
        rng = np.random.RandomState(seed)
        X = rng.randn(10, 2)
        matrix = rng.uniform(-1, 1, (10, 10))
        matrix += matrix.T
        model = Kauri(max_clusters=10, kernel="precomputed").fit(X, matrix)
        gains = replayed_gains(model.tree_, X, matrix)
        np.testing.assert_allclose(gains[:, 0], gains[:, 1], rtol=1e-9, atol=1e-11)
        kinds += np.bincount(model.tree_.kinds, minlength=5)
        used = np.unique(model.labels_)
        np.testing.assert_array_equal(used, np.arange(model.n_clusters_))
    assert (kinds > 0).all(), kinds


def test_each_split_is_the_best_there_is():
    """The first split of a leaf, against all partitions in two by one cut."""
    X = blobs(40, 2)
    model = Kauri(max_clusters=2, max_leaves=2).fit(X)
    best = -np.inf
    for feature in range(2):
        for value in X[:, feature]:
            labels = (X[:, feature] > value).astype(int)
            best = max(best, naive_objective(X @ X.T, labels))
    assert model.score(X) == pytest.approx(best, rel=1e-12)


def test_structure_is_consistent():
    X = np.random.RandomState(0).randn(300, 4)
    model = Kauri(max_clusters=3, max_leaves=12).fit(X)
    tree = model.tree_
    assert tree.n_nodes == 2 * tree.n_leaves - 1 == len(tree.kinds)
    inner = tree.children_left >= 0
    children = np.concatenate([tree.children_left[inner], tree.children_right[inner]])
    np.testing.assert_array_equal(np.sort(children), np.arange(1, tree.n_nodes))
    np.testing.assert_array_equal(
        tree.sizes[inner],
        tree.sizes[tree.children_left[inner]] + tree.sizes[tree.children_right[inner]],
    )
    np.testing.assert_array_equal(
        tree.depths[tree.children_left[inner]], tree.depths[inner] + 1
    )
    assert (tree.gains[inner] > 0).all()
    assert (tree.features[~inner] == -2).all() and (tree.gains[~inner] == 0).all()
    np.testing.assert_array_equal(np.unique(model.leaves_), np.arange(tree.n_leaves))
    # Each leaf number stands for one node.
    pairs = np.unique(np.stack([model.leaves_, model.apply(X)]), axis=1)
    assert pairs.shape[1] == tree.n_leaves
    assert model.get_n_leaves() == 12 and model.get_depth() == tree.depths.max()


def test_training_samples_are_predicted_as_labelled():
    X = np.random.RandomState(0).randn(300, 4).round(1)
    for dtype in (np.float64, np.float32):
        model = Kauri(max_clusters=5).fit(X.astype(dtype))
        np.testing.assert_array_equal(model.predict(X.astype(dtype)), model.labels_)
        assert model.fit_predict(X.astype(dtype)).dtype == np.int64


def test_adjacent_floats_are_separated_by_their_threshold():
    X = np.array([[1.0], [1.0], [np.nextafter(1.0, 2.0)]])
    matrix = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    model = Kauri(max_clusters=2, kernel="precomputed").fit(X, matrix)
    np.testing.assert_array_equal(model.labels_, [0, 0, 1])
    np.testing.assert_array_equal(model.predict(X), [0, 0, 1])


def test_thresholds_lie_in_the_middle_of_gaps():
    model = Kauri(max_clusters=2).fit([[0.0], [1.0], [8.0], [9.0]])
    assert model.tree_.thresholds[0] == 4.5


def test_equal_values_never_separate():
    X = np.repeat(np.arange(4.0), 5)[:, None]
    matrix = np.eye(20)
    model = Kauri(max_clusters=20, kernel="precomputed").fit(X, matrix)
    assert model.tree_.n_leaves == 4
    constant = Kauri().fit(np.ones((10, 3)))
    assert constant.tree_.n_leaves == constant.n_clusters_ == 1
    assert (constant.feature_importances_ == 0).all()


def test_decision_path():
    X = blobs(50)
    model = Kauri(max_clusters=4).fit(X)
    path = model.decision_path(X).toarray()
    tree, parents = model.tree_, model.tree_.parents()
    for row, leaf in zip(path, model.apply(X), strict=True):
        expected = set()
        while leaf >= 0:
            expected.add(leaf)
            leaf = parents[leaf]
        assert set(np.flatnonzero(row)) == expected
    assert path.shape == (50, tree.n_nodes)
    np.testing.assert_array_equal(path.sum(axis=0), tree.sizes)


def test_feature_importances_sum_the_gains():
    X = load_iris().data
    model = Kauri(max_clusters=3).fit(X)
    assert model.feature_importances_.sum() == pytest.approx(1.0)
    tree = model.tree_
    expected = tree.gains[tree.features == 2].sum() / tree.gains.sum()
    assert model.feature_importances_[2] == pytest.approx(expected)


# Invariances


@pytest.mark.parametrize("data", ["iris", "integers", "mirrored"])
def test_order_of_rows_does_not_matter(data):
    rng = np.random.RandomState(0)
    X = {
        "iris": load_iris().data,
        "integers": rng.randint(0, 4, (80, 3)).astype(float),
        "mirrored": np.concatenate([blobs(30), -blobs(30)]),
    }[data]
    reference = Kauri(max_clusters=4).fit(X)
    for seed in range(10):
        order = np.random.RandomState(seed).permutation(len(X))
        other = Kauri(max_clusters=4).fit(X[order])
        assert same_tree(reference.tree_, other.tree_)
        np.testing.assert_array_equal(other.labels_, reference.labels_[order])


@pytest.mark.parametrize("copies", [False, True])
def test_order_of_features_does_not_matter(copies):
    X = scale(load_wine().data)
    if copies:
        X = np.concatenate([X, X], axis=1)
    reference = Kauri(max_clusters=3).fit(X)
    for seed in range(5):
        order = np.random.RandomState(seed).permutation(X.shape[1])
        other = Kauri(max_clusters=3).fit(X[:, order])
        np.testing.assert_array_equal(other.labels_, reference.labels_)
        np.testing.assert_array_equal(
            other.tree_.thresholds, reference.tree_.thresholds
        )


@pytest.mark.parametrize("kernel", ["linear", "rbf", "laplacian"])
def test_offsets_do_not_change_the_tree(kernel):
    # Exact in binary, so that the offset loses nothing.
    X = np.round(blobs(120) * 16) / 16
    a = Kauri(max_clusters=4, kernel=kernel).fit(X)
    b = Kauri(max_clusters=4, kernel=kernel).fit(X + 1e8)
    assert same_tree(a.tree_, b.tree_)
    np.testing.assert_allclose(a.tree_.gains, b.tree_.gains, rtol=1e-5, atol=1e-9)
    np.testing.assert_array_equal(a.labels_, b.labels_)


def test_scale_does_not_change_the_tree():
    X = blobs(100)
    a = Kauri(max_clusters=4).fit(X)
    for factor in (1e-100, 1e100):
        b = Kauri(max_clusters=4).fit(X * factor)
        assert same_tree(a.tree_, b.tree_)
        np.testing.assert_allclose(b.tree_.gains, a.tree_.gains * factor**2, rtol=1e-9)


def test_one_far_outlier_does_not_hide_the_rest():
    X = blobs(100)
    far = np.concatenate([X, np.full((1, X.shape[1]), 1e7)])
    reference = Kauri(max_clusters=3).fit(X)
    other = Kauri(max_clusters=4).fit(far)
    np.testing.assert_array_equal(
        adjusted_rand_score(reference.labels_, other.labels_[:-1]), 1.0
    )


def test_duplicated_samples_do_not_change_the_partition():
    X = blobs(60)
    reference = Kauri(max_clusters=3).fit(X)
    twice = Kauri(max_clusters=3).fit(np.repeat(X, 2, axis=0))
    np.testing.assert_array_equal(twice.labels_[::2], reference.labels_)
    np.testing.assert_allclose(twice.tree_.gains, 2 * reference.tree_.gains)


# Rules


@pytest.mark.parametrize(
    "params",
    [
        {"max_leaves": 1},
        {"max_leaves": 5},
        {"max_depth": 1},
        {"max_depth": 2, "max_leaves": 3},
        {"min_samples_leaf": 17},
        {"min_samples_leaf": 0.2},
        {"min_samples_split": 40},
        {"min_samples_split": 0.5},
    ],
)
def test_limits_hold(params):
    X = blobs(100)
    model = Kauri(max_clusters=5, **params).fit(X)
    tree = model.tree_
    assert tree.n_leaves <= params.get("max_leaves", 100)
    assert tree.depths.max() <= params.get("max_depth", 100)
    smallest = params.get("min_samples_leaf", 1)
    assert tree.sizes.min() >= (100 * smallest if smallest < 1 else smallest)
    split = params.get("min_samples_split", 2)
    inner = tree.children_left >= 0
    assert (tree.sizes[inner] >= (100 * split if split < 1 else split)).all()
    assert (tree.n_leaves > 1) == (params != {"max_leaves": 1})


def test_min_samples_split_holds_at_the_root():
    X = blobs(20)
    assert Kauri(min_samples_split=21).fit(X).tree_.n_nodes == 1
    assert Kauri(min_samples_split=20, max_leaves=2).fit(X).tree_.n_nodes == 3


def test_clusters_are_at_most_max_clusters():
    X = blobs(50)
    for k in (1, 2, 7, 50, 80):
        model = Kauri(max_clusters=k).fit(X)
        assert model.n_clusters_ == min(k, 50) == len(np.unique(model.labels_))


def test_min_gain_stops_before_noise_is_fitted():
    X = blobs(300, 2)
    scatter = ((X - X.mean(axis=0)) ** 2).sum()
    free = Kauri(max_clusters=4).fit(X)
    model = Kauri(max_clusters=4, min_gain=0.01).fit(X)
    inner = model.tree_.children_left >= 0
    assert model.tree_.n_leaves < free.tree_.n_leaves
    assert (model.tree_.gains[inner] >= 0.01 * scatter).all()
    assert Kauri(min_gain=1.01).fit(X).tree_.n_leaves == 1


@pytest.mark.parametrize("max_features", [1, 0.5, "sqrt", "log2"])
def test_features_are_drawn_from_random_state(max_features):
    X = blobs(100, 6)
    trees = [
        Kauri(max_features=max_features, random_state=seed).fit(X).tree_
        for seed in (0, 0, 1, 2, 3)
    ]
    assert same_tree(trees[0], trees[1])
    assert not all(same_tree(trees[0], other) for other in trees[2:])
    assert same_tree(
        Kauri(max_features=6, random_state=0).fit(X).tree_, Kauri().fit(X).tree_
    )


def test_constant_features_are_not_drawn():
    X = np.zeros((50, 10))
    X[:, 7] = np.arange(50)
    model = Kauri(max_features=1, random_state=0).fit(X)
    assert (model.tree_.features[model.tree_.children_left >= 0] == 7).all()
    assert model.n_clusters_ == 3


# Behaviour as an estimator


def test_pickles_are_plain_arrays():
    X = blobs()
    model = Kauri().fit(X)
    for value in vars(model.tree_).values():
        assert type(value) is np.ndarray and value.flags.owndata
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(X), model.labels_)
    assert clone(model).get_params() == model.get_params()


def test_inputs_are_not_modified():
    X = np.asfortranarray(blobs())
    matrix = X @ X.T
    copies = X.copy(), matrix.copy()
    Kauri().fit(X)
    Kauri(kernel="precomputed").fit(X, matrix)
    np.testing.assert_array_equal(X, copies[0])
    np.testing.assert_array_equal(matrix, copies[1])


def test_many_threads_fit_and_predict_alike():
    X = blobs(400, 5)
    reference = Kauri(max_clusters=5).fit(X)
    with ThreadPoolExecutor(4) as pool:
        models = list(pool.map(lambda _: Kauri(max_clusters=5).fit(X), range(8)))
        labels = list(pool.map(lambda _: reference.predict(X), range(8)))
    assert all(same_tree(reference.tree_, model.tree_) for model in models)
    assert all(np.array_equal(reference.labels_, other) for other in labels)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs POSIX timers")
def test_signals_interrupt_the_growth():
    def handler(signum, frame):
        raise TimeoutError("interrupted")

    X = np.random.RandomState(0).randn(40_000, 40)
    previous = signal.signal(signal.SIGALRM, handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.5)
        with pytest.raises(TimeoutError, match="interrupted"):
            Kauri(max_clusters=20).fit(X)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, previous)


def test_verbose_says_the_splits(capsys):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(blobs(), columns=["a", "b", "50 % c"])
    for X in (blobs(), frame):
        model = Kauri(verbose=True).fit(X)
        tree, printed = model.tree_, capsys.readouterr()
        wanted = []
        for left in np.sort(tree.children_left[tree.children_left >= 0]):
            node = int(np.flatnonzero(tree.children_left == left)[0])
            f = tree.features[node]
            feature = frame.columns[f] if X is frame else f"X[:, {f}]"
            kind = ["", "star", "double star", "switch", "refurbish"][tree.kinds[node]]
            wanted.append(
                f"Kauri: node {node}, {feature} <= {tree.thresholds[node]:.6g}, {kind},"
                f" gain {tree.gains[node]:.6g}"
            )
        wanted.append(f"Kauri: {tree.n_leaves} leaves, 3 clusters")
        assert len(wanted) > 2
        assert printed.err.splitlines() == wanted and printed.out == ""


def test_a_quiet_tree_says_nothing(capsys):
    Kauri().fit(blobs())
    assert capsys.readouterr() == ("", "")


def test_data_frames_keep_their_names():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(blobs(), columns=["a", "b", "c"])
    model = Kauri().fit(frame)
    assert model.feature_names_in_.tolist() == ["a", "b", "c"]
    np.testing.assert_array_equal(model.predict(frame), model.labels_)


def test_pipelines():
    from sklearn.pipeline import make_pipeline

    X = load_wine().data
    model = make_pipeline(StandardScaler(), Kauri(max_clusters=3))
    assert len(np.unique(model.fit_predict(X))) == 3


# Refusals


@pytest.mark.parametrize(
    ("params", "error", "match"),
    [
        ({"max_clusters": 0}, ValueError, "max_clusters must be at least 1"),
        ({"max_clusters": 2.5}, TypeError, "max_clusters must be an int"),
        ({"max_depth": 0}, ValueError, "max_depth"),
        ({"max_leaves": 0}, ValueError, "max_leaves"),
        ({"max_leaves": "many"}, TypeError, "max_leaves"),
        ({"min_samples_split": 1}, ValueError, "min_samples_split"),
        ({"min_samples_split": 1.5}, ValueError, "min_samples_split"),
        ({"min_samples_leaf": 0}, ValueError, "min_samples_leaf"),
        ({"min_samples_leaf": 0.0}, ValueError, "min_samples_leaf"),
        ({"min_samples_leaf": None}, TypeError, "min_samples_leaf"),
        ({"max_features": 0}, ValueError, "max_features"),
        ({"max_features": 4}, ValueError, "max_features must be at most n_features=3"),
        ({"max_features": "all"}, ValueError, "max_features"),
        ({"max_features": 1.5}, ValueError, "max_features"),
        ({"min_gain": -0.1}, ValueError, "min_gain"),
        ({"min_gain": "some"}, TypeError, "min_gain"),
        ({"verbose": "yes"}, TypeError, "verbose"),
        ({"kernel": "nonsense"}, ValueError, "kernel"),
        ({"kernel": None}, TypeError, "kernel"),
        ({"kernel": "precomputed"}, ValueError, "precomputed.*got None"),
        ({"kernel": "labels"}, ValueError, "labels.*got None"),
        ({"kernel": "rbf", "kernel_params": {"no": 1}}, ValueError, "kernel_params"),
        ({"random_state": "seed"}, ValueError, "seed"),
    ],
)
def test_bad_parameters_are_refused(params, error, match):
    with pytest.raises(error, match=match):
        Kauri(**params).fit(blobs())


@pytest.mark.parametrize(
    ("matrix", "match"),
    [
        (np.eye(3), "shape"),
        (np.ones((60, 2)), "shape"),
        (np.arange(3600.0).reshape(60, 60), "symmetric"),
        (np.full((60, 60), np.nan), "finite"),
        (np.full((60, 60), 1e300), "overflow"),
    ],
)
def test_bad_kernels_are_refused(matrix, match):
    with pytest.raises(ValueError, match=match):
        Kauri(kernel="precomputed").fit(blobs(), matrix)
    with pytest.raises(ValueError, match=match):
        Kauri(kernel=lambda X: matrix).fit(blobs())


@pytest.mark.parametrize(
    "X",
    [
        np.array([[np.inf, 1.0], [0.0, 1.0]]),
        np.empty((0, 2)),
        np.ones(4),
        np.full((3, 1), 1e200) * np.arange(3.0)[:, None],
        [["a"], ["b"]],
    ],
)
def test_bad_samples_are_refused(X):
    with pytest.raises(ValueError):
        Kauri().fit(X)


def test_unfitted_trees_and_wrong_widths_are_refused():
    for method in ("predict", "apply", "score", "decision_path"):
        with pytest.raises(NotFittedError):
            getattr(Kauri(), method)(blobs())
        with pytest.raises(ValueError, match="features"):
            getattr(Kauri().fit(blobs()), method)(np.ones((4, 2)))
    with pytest.raises(NotFittedError):
        Kauri().get_depth()


def test_centres_are_the_means_of_the_clusters():
    X = load_iris().data.copy()
    weights = np.random.RandomState(0).randint(0, 3, size=150).astype(float)
    X[::7, 1] = np.nan
    tree = Kauri(max_clusters=4).fit(X, sample_weight=weights)
    assert tree.cluster_centers_.shape == (tree.n_clusters_, 4)
    for k, centre in enumerate(tree.cluster_centers_):
        for j in range(4):
            known = (tree.labels_ == k) & ~np.isnan(X[:, j])
            expected = np.average(X[known, j], weights=weights[known])
            assert centre[j] == pytest.approx(expected)


def test_a_centre_without_values_has_the_mean_of_all():
    X = np.array([[0.0, 1.0], [0.1, 2.0], [9.0, np.nan], [9.1, np.nan]])
    tree = Kauri(max_clusters=2, max_leaves=2).fit(X)
    centres = tree.cluster_centers_[tree.labels_[[0, 2]]]
    np.testing.assert_allclose(centres, [[0.05, 1.5], [9.05, 1.5]])
