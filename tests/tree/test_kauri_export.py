"""Exports of a Kauri tree: texts, dot source, drawings, fidelity."""

import io
import re

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_iris, load_wine
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler, scale
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.tree import export_text as sklearn_export_text

from gemclus.tree import (
    Kauri,
    export_graphviz,
    export_text,
    fidelity,
    plot_tree,
    print_kauri_tree,
)
from gemclus.tree._export.reader import COLOURS, Reader, number_texts

# Raw columns of very different scales are as good as any here.
pytestmark = pytest.mark.filterwarnings("ignore:feature .* of the scatter of X")

IRIS = load_iris()
EXPORTERS = [export_text, export_graphviz, plot_tree]


@pytest.fixture
def tree():
    return Kauri(max_clusters=3, max_depth=3).fit(IRIS.data)


def rules_to_predictor(text):
    """Cluster of a sample, by reading an exported text line by line."""
    lines = [line for line in text.splitlines() if "truncated" not in line]

    def predict(x):
        depth = 0
        for line in lines:
            indent = line.index("|---") // 4
            if indent != depth:
                continue
            body = line[line.index("|---") + 5 :]
            if body.startswith("cluster: "):
                return body.split()[1]
            feature, sign, threshold = re.match(
                r"X\[:, (\d+)\] (<=|> ) (\S+)", body
            ).groups()
            below = x[int(feature)] <= float(threshold)
            if below == (sign == "<="):
                depth += 1
        raise AssertionError("no rule holds")

    return predict


def test_text_is_the_tree(tree):
    predict = rules_to_predictor(export_text(tree, decimals=6))
    assert [int(predict(x)) for x in IRIS.data] == tree.labels_.tolist()


@pytest.mark.parametrize("max_depth", [0, 1, 2, 10])
@pytest.mark.parametrize("spacing", [1, 3, 5])
def test_text_follows_the_conventions_of_scikit_learn(max_depth, spacing):
    """The same tree grown by both is written alike but for the leaves."""
    X = 3.0 ** np.arange(6)[:, None]
    ours = export_text(
        Kauri(max_clusters=6).fit(X), max_depth=max_depth, spacing=spacing
    )
    theirs = sklearn_export_text(
        DecisionTreeRegressor().fit(X, X[:, 0]),
        feature_names=["X[:, 0]"],
        max_depth=max_depth,
        spacing=spacing,
    )
    ends = re.compile(r"cluster: \d+|value: .*")
    assert ends.sub("end", ours) == ends.sub("end", theirs.rstrip())


def test_names_and_sizes(tree):
    text = export_text(
        tree,
        feature_names=IRIS.feature_names,
        cluster_names=["short", "middle", "long"],
        show_sizes=True,
        decimals=1,
    )
    assert "petal length (cm) <= 3.4" in text and "cluster: short (50 samples)" in text
    sizes = [int(n) for n in re.findall(r"\((\d+) samples\)", text)]
    assert sum(sizes) == 150
    source = export_graphviz(tree, feature_names=IRIS.feature_names, proportion=True)
    assert "petal length (cm) <= 3.400" in source and "samples = 100.0%" in source


def test_names_come_from_data_frames(capsys):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(IRIS.data, columns=IRIS.feature_names)
    tree = Kauri(max_depth=2).fit(frame)
    assert "petal length (cm) <=" in export_text(tree)
    print_kauri_tree(tree)
    assert "|=petal length (cm) <= 3.4" in capsys.readouterr().out


def test_print(tree, capsys):
    print_kauri_tree(tree)
    lines = capsys.readouterr().out.splitlines()
    assert lines[:4] == [
        "Node 0",
        "|=X[:, 2] <= 3.4",
        "| Node 1",
        "| |=X[:, 2] <= 2.45",
    ]
    assert sum("Node" in line for line in lines) == tree.tree_.n_nodes
    assert sum("Cluster: " in line for line in lines) == tree.tree_.n_leaves
    print_kauri_tree(tree, feature_names=list("abcd"))
    assert "|=c <= 3.4" in capsys.readouterr().out
    with pytest.raises(NotFittedError):
        print_kauri_tree(Kauri())


def test_dot_source(tree, tmp_path):
    source = export_graphviz(
        tree, filled=True, rounded=True, rotate=True, node_ids=True
    )
    assert source.startswith("digraph Tree {\n") and source.endswith("}\n")
    assert source.count("[label=") == tree.tree_.n_nodes
    assert source.count(" -> ") == tree.tree_.n_nodes - 1
    for word in ("rankdir=LR", "filled, rounded", "fillcolor=", "node #3"):
        assert word in source
    assert export_graphviz(tree, tmp_path / "tree.dot") is None
    assert (tmp_path / "tree.dot").read_text() == export_graphviz(tree)
    stream = io.StringIO()
    export_graphviz(tree, stream, leaves_parallel=True)
    assert "{rank=same ; 5; 6; 7; 8; 4}" in stream.getvalue()


def test_dot_source_escapes_quotes(tree):
    names = ['a "quoted" name', "back\\slash", 'c"', "d"]
    source = export_graphviz(tree, feature_names=names)
    assert r"c\" <= 3.400" in source
    # Outside of escapes, quotes come in pairs.
    for line in source.splitlines():
        assert len(re.findall(r'(?<!\\)"', line)) % 2 == 0


def test_depth_is_cut_off(tree):
    text = export_text(tree, max_depth=0)
    assert "truncated branch of depth 3" in text and "cluster" not in text
    assert export_text(tree, max_depth=None) == export_text(tree, max_depth=10)
    source = export_graphviz(tree, max_depth=1)
    assert source.count("(...)") == 2 and source.count(" -> ") == 2


def test_plot(tree):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib.figure import Figure

    ax = Figure().add_subplot()
    boxes = plot_tree(tree, ax=ax, filled=True, rounded=True, node_ids=True)
    assert len(boxes) == tree.tree_.n_nodes
    assert boxes[0].get_text().startswith("node #0\nX[:, 2] <= 3.400")
    places = {box.xy for box in boxes}
    assert len(places) == len(boxes)
    low, high = ax.get_xlim()
    assert all(low < x < high for x, _ in places)
    assert len(plot_tree(tree, ax=ax, max_depth=1)) == 3
    import matplotlib.pyplot as plt

    boxes = plot_tree(Kauri(max_leaves=1).fit(IRIS.data))
    assert boxes[0].get_text() == "samples = 150\ncluster = 0"
    plt.close("all")


def test_boxes_of_a_plot_keep_apart():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    tree = Kauri(max_clusters=6, max_leaves=15).fit(load_wine().data)
    figure = Figure(figsize=(10, 6))
    FigureCanvasAgg(figure)
    names = load_wine().feature_names
    boxes = plot_tree(tree, ax=figure.add_subplot(), feature_names=names)
    figure.canvas.draw()
    assert 3 < boxes[0].get_fontsize() < 10
    extents = [box.get_bbox_patch().get_window_extent() for box in boxes]
    for i, extent in enumerate(extents):
        assert not any(extent.overlaps(other) for other in extents[:i])


@pytest.mark.parametrize("export", EXPORTERS)
def test_bad_arguments_are_refused(tree, export):
    with pytest.raises(NotFittedError):
        export(Kauri())
    with pytest.raises(TypeError, match="kauri_tree must be a Kauri"):
        export(DecisionTreeClassifier())
    with pytest.raises(ValueError, match="feature_names must hold 4 names"):
        export(tree, feature_names=["a"])
    with pytest.raises(TypeError, match="feature_names"):
        export(tree, feature_names="abcd")
    with pytest.raises(ValueError, match="cluster_names must hold 3 names"):
        export(tree, cluster_names=["a"])
    with pytest.raises(ValueError, match="decimals"):
        export(tree, decimals=-1)
    with pytest.raises(ValueError, match="max_depth"):
        export(tree, max_depth=-1)


# Pipelines: rules in the units of their input


def test_thresholds_of_pipelines_are_those_of_the_input():
    bare = Kauri(max_clusters=3, max_depth=2, kernel="rbf").fit(IRIS.data)
    scaled = make_pipeline(
        StandardScaler(), Kauri(max_clusters=3, max_depth=2, kernel="labels")
    ).fit(IRIS.data, bare.labels_)
    text = export_text(scaled, decimals=6, feature_names=IRIS.feature_names)
    assert "petal length (cm) <= 3." in text or "petal length (cm) <= 2." in text
    predict = rules_to_predictor(export_text(scaled, decimals=9))
    assert [int(predict(x)) for x in IRIS.data] == scaled[-1].labels_.tolist()
    assert "class" not in export_graphviz(scaled)
    for line in export_text(scaled).splitlines():
        assert line in export_text(make_pipeline("passthrough", scaled))


def test_categories_are_named():
    pd = pytest.importorskip("pandas")
    plans = ["mobile", "fixed", "none"] * 20
    frame = pd.DataFrame({"plan": plans, "age": np.linspace(30, 30.1, 60)})
    encode = make_column_transformer(
        (OneHotEncoder(), ["plan"]), (StandardScaler(), ["age"]), ("drop", [])
    )
    pipeline = make_pipeline(encode, Kauri(max_clusters=3, kernel="labels"))
    labels = frame["plan"].map({"mobile": 0, "fixed": 1, "none": 2}).to_numpy()
    pipeline.fit(frame, labels)
    text = export_text(pipeline)
    assert "plan = " in text and "plan != " in text and "plan_" not in text
    by_rule = {"mobile": None, "fixed": None, "none": None}
    for plan, label in zip(plans, pipeline[-1].labels_):
        by_rule[plan] = label
    for plan, label in by_rule.items():
        branch = f"plan = {plan}"
        if branch in text:
            assert f"cluster: {label}" in text[text.index(branch) :].splitlines()[1]
    source = export_graphviz(pipeline)
    assert "plan != " in source


def test_print_takes_pipelines(capsys):
    pipeline = make_pipeline(StandardScaler(), Kauri(max_clusters=2))
    print_kauri_tree(pipeline.fit([[0.0], [1.0], [8.0], [9.0]]))
    assert "|=X[:, 0] <= 4.5\n" in capsys.readouterr().out


def test_steps_that_mix_columns_are_refused():
    pipeline = make_pipeline(PCA(2), Kauri()).fit(IRIS.data)
    for export in EXPORTERS:
        with pytest.raises(TypeError, match="PCA cannot be undone"):
            export(pipeline)
    assert "X[:, 1]" in export_text(pipeline[-1]) or "X[:, 0]" in export_text(
        pipeline[-1]
    )


def test_pipelines_without_a_tree_are_refused():
    pipeline = make_pipeline(StandardScaler(), KMeans(2)).fit(IRIS.data)
    for export in EXPORTERS:
        with pytest.raises(TypeError, match="got KMeans at the end of the pipeline"):
            export(pipeline)
    with pytest.raises(TypeError, match="kauri_tree must be a Kauri.* got KMeans"):
        fidelity(pipeline, IRIS.data, IRIS.target)


# Numbers and names


def test_numbers_of_a_small_scale_are_told_apart():
    X = np.random.RandomState(0).normal(size=(200, 1)) * 1e-5
    tree = Kauri(max_clusters=3).fit(X)
    text = export_text(tree)
    assert "0.00" not in text.replace("0.00e", "")
    predict = rules_to_predictor(export_text(tree, decimals=17))
    assert [int(predict(x)) for x in X] == tree.labels_.tolist()
    told = set(re.findall(r"<= (\S+)", text))
    assert len(told) == (tree.tree_.children_left >= 0).sum()


@pytest.mark.parametrize(
    "values, decimals, texts",
    [
        ([1.0, 2.0], 2, ["1.00", "2.00"]),
        ([1.001, 1.002], 2, ["1.001", "1.002"]),
        ([0.0, 2e-5], 2, ["0.00", "2.00e-05"]),
        ([-1e-5], 2, ["-1.00e-05"]),
        ([4.5, 4.5], 0, ["4", "4"]),
        ([np.inf], 1, ["inf"]),
    ],
)
def test_texts_of_numbers(values, decimals, texts):
    assert number_texts(values, decimals) == texts


AWKWARD = ["cost in $ of $x^2$", 'a "quoted" name', "two\nlines", "back\\slash"]


@pytest.mark.parametrize("export", [export_text, export_graphviz])
def test_awkward_names_keep_the_layout(tree, export):
    plain = export(tree, feature_names=list("abcd"))
    awkward = export(tree, feature_names=AWKWARD, cluster_names=["$", '"', "\n\n"])
    assert len(awkward.splitlines()) == len(plain.splitlines())
    assert "two lines <= " in awkward


@pytest.mark.parametrize("export", EXPORTERS)
@pytest.mark.parametrize(
    "names", [{0: "a", 1: "b", 2: "c"}, {"a", "b", "c"}, b"abc", 3]
)
def test_names_without_an_order_are_refused(tree, export, names):
    with pytest.raises(TypeError, match="cluster_names must be a list of 3 names"):
        export(tree, cluster_names=names)


def test_missing_values_are_told_where_there_were_some():
    X = IRIS.data.copy()
    assert "missing" not in export_text(Kauri().fit(X))
    X[::5, 2] = np.nan
    tree = Kauri(max_clusters=3, max_depth=2).fit(X)
    text = export_text(tree)
    for line in text.splitlines():
        assert "X[:, 3]" not in line or "missing" not in line
    inner = np.flatnonzero(tree.tree_.features == 2)
    assert text.count("or missing") == len(inner) > 0
    root = tree.tree_.missing_go_to_left[0]
    first = text.splitlines()[0]
    assert ("missing" in first) == (tree.tree_.features[0] == 2 and bool(root))


def test_splits_tell_what_they_explain():
    """Of what there is to explain: the within-cluster scatter of one cluster."""
    X = IRIS.data
    tree = Kauri(max_clusters=3, max_leaves=2).fit(X)
    total = ((X - X.mean(axis=0)) ** 2).sum()
    within = sum(
        ((X[tree.labels_ == k] - X[tree.labels_ == k].mean(axis=0)) ** 2).sum()
        for k in range(tree.n_clusters_)
    )
    assert tree.variation_ == pytest.approx(total)
    share = 100.0 * (1.0 - within / total)
    assert f"explains {share:.3g}%" in export_graphviz(tree)


@pytest.mark.parametrize("kernel", ["linear", "rbf", "labels"])
def test_variation_is_what_clusters_of_one_gain(kernel):
    X, y = IRIS.data + 1e-3 * np.arange(150)[:, None], None
    weights = np.random.RandomState(0).randint(1, 4, size=150)
    if kernel == "labels":
        y = np.random.RandomState(1).uniform(size=(150, 200))
    tree = Kauri(kernel=kernel).fit(X, y, sample_weight=weights)
    one = Kauri(kernel=kernel, max_leaves=1).fit(X, y, sample_weight=weights)
    if kernel == "labels":
        alone = weights @ (y**2).sum(axis=1)
    elif kernel == "linear":
        alone = weights @ (X**2).sum(axis=1)
    else:
        alone = weights.sum()
    expected = alone - one.score(X, y, sample_weight=weights)
    assert tree.variation_ == pytest.approx(expected)


# Drawings


@pytest.fixture
def axes():
    pyplot = pytest.importorskip("matplotlib.pyplot")
    yield pyplot.figure(figsize=(8, 6)).add_subplot()
    pyplot.close("all")


def test_the_first_arrows_of_a_plot_say_which_way_is_which(tree, axes):
    boxes = plot_tree(tree, ax=axes)
    words = {text.get_text().strip(): text for text in axes.texts}
    assert words["True"].xy[0] < boxes[0].xy[0] < words["False"].xy[0]
    assert words["True"].get_fontsize() == boxes[0].get_fontsize()
    assert plot_tree(tree, ax=axes, max_depth=0)


def test_names_of_a_plot_are_no_formulas(tree, axes):
    names = ["$", "$x", "\\alpha$", "$"]
    boxes = plot_tree(
        tree,
        ax=axes,
        feature_names=names,
        cluster_names=["$a", "b$$", "c"],
        filled=True,
    )
    axes.figure.canvas.draw()
    assert "\\alpha$ <= 3.400" in boxes[0].get_text()


def test_inner_nodes_take_the_colour_of_their_largest_cluster(tree, axes):
    from matplotlib.colors import to_hex

    boxes = plot_tree(tree, ax=axes, filled=True)
    fills = [to_hex(box.get_bbox_patch().get_facecolor()) for box in boxes]
    nodes = Reader(tree, None, None).shown()
    for node, fill in zip(nodes, fills):
        if tree.tree_.children_left[node] < 0:
            assert fill == COLOURS[tree.tree_.target[node]].lower()
    # The root has 50, 61 and 39 samples, so that its colour is pale.
    assert fills[0] not in [colour.lower() for colour in COLOURS]
    assert to_hex(fills[0]) != "#ffffff"
    path = tree.decision_path(IRIS.data).toarray().astype(bool)
    for node in nodes:
        counts = np.bincount(tree.labels_[path[:, node]], minlength=3)
        np.testing.assert_array_equal(
            Reader(tree, None, None).cluster_sizes()[node], counts
        )


def test_the_legend_names_the_clusters(tree, axes):
    plot_tree(tree, ax=axes, cluster_names=["a$", "b", "c"], filled=True)
    entries = [text.get_text() for text in axes.get_legend().get_texts()]
    assert entries == ["a$", "b", "c"]
    for arguments in ({"filled": True, "legend": False}, {}):
        axes.clear()
        plot_tree(tree, ax=axes, **arguments)
        assert axes.get_legend() is None
    with pytest.raises(TypeError, match="legend must be True or False"):
        plot_tree(tree, ax=axes, legend="upper right")


# Explaining given labels


def test_fidelity_takes_pipelines():
    X = load_wine().data
    labels = KMeans(3, n_init=10, random_state=0).fit_predict(scale(X))
    pipeline = make_pipeline(StandardScaler(), Kauri(max_clusters=3, kernel="labels"))
    pipeline.fit(X, labels)
    assert str(fidelity(pipeline, X, labels)) == str(
        fidelity(pipeline[-1], pipeline[:-1].transform(X), labels)
    )


def test_labels_are_explained():
    X = scale(load_wine().data)
    labels = KMeans(3, n_init=10, random_state=0).fit_predict(X)
    names = np.array(["red", "white", "rosé"])[labels]
    tree = Kauri(max_clusters=3, kernel="labels").fit(X, names)
    report = fidelity(tree, X, names)
    assert report.accuracy > 0.98 and report.adjusted_rand > 0.95
    assert (report.recall > 0.95).all()
    few = Kauri(max_clusters=3, max_leaves=4, kernel="labels").fit(X, names)
    report = fidelity(few, X, names)
    assert 0.85 < report.accuracy < 1.0 and report.n_leaves == 4
    by_hand = np.mean(report.cluster_labels[few.labels_] == names)
    assert report.accuracy == pytest.approx(by_hand)
    assert report.table.sum() == len(X)
    assert "4 rules" in str(report) and "label rosé" in str(report)
    assert "cluster: rosé" in export_text(few, cluster_names=report.cluster_labels)


def test_label_kernel_is_gini():
    X, y = load_iris(return_X_y=True)
    tree = Kauri(max_clusters=2, max_leaves=2, kernel="labels").fit(X, y)
    stump = DecisionTreeClassifier(max_depth=1).fit(X, y)
    weights = stump.tree_.n_node_samples[1:] / 150
    gini = (weights * stump.tree_.impurity[1:]).sum()
    assert tree.score(X, y) == pytest.approx(150 * (1 - gini))


def test_probabilities_are_explained():
    X, y = load_iris(return_X_y=True)
    hard = Kauri(kernel="labels").fit(X, y)
    soft = Kauri(kernel="labels").fit(X, np.eye(3)[y])
    np.testing.assert_array_equal(hard.labels_, soft.labels_)


@pytest.mark.parametrize(
    ("y", "error", "match"),
    [
        (np.zeros(3), ValueError, "shape"),
        (np.zeros((150, 2, 2)), ValueError, "shape"),
        (np.full(150, np.nan), ValueError, "NaN"),
        (np.full((150, 2), -1.0), ValueError, "not negative"),
        (np.full((150, 2), "a"), TypeError, "real numbers"),
    ],
)
def test_bad_labels_are_refused(y, error, match):
    with pytest.raises(error, match=match):
        Kauri(kernel="labels").fit(IRIS.data, y)


def test_fidelity_refuses_other_lengths(tree):
    with pytest.raises(ValueError, match=r"labels must be .*shape \(150,\)"):
        fidelity(tree, IRIS.data, np.zeros(3))
