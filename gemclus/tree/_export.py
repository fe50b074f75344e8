"""Reading a Kauri tree: text, dot source and drawings."""

from pathlib import Path

import numpy as np
from sklearn.utils.validation import check_is_fitted

from gemclus._common.validation import check_bool, check_int
from gemclus.tree._kauri.estimator import Kauri

# Colours of clusters (Okabe and Ito), told apart by colour-blind readers too.
_COLOURS = (
    "#E69F00",
    "#56B4E9",
    "#009E73",
    "#F0E442",
    "#0072B2",
    "#D55E00",
    "#CC79A7",
    "#999999",
)


class _Reader:
    """The texts of the nodes of a fitted tree.

    Cluster sizes and names are looked up, numbers are formatted, and the limit
    of depth is applied here, so that the exporters only lay out.
    """

    def __init__(
        self, kauri_tree, feature_names, cluster_names, decimals=2, max_depth=None
    ):
        if not isinstance(kauri_tree, Kauri):
            raise TypeError(
                f"kauri_tree must be a Kauri, got {type(kauri_tree).__name__}"
            )
        check_is_fitted(kauri_tree)
        self.tree = kauri_tree.tree_
        self.decimals = check_int("decimals", decimals, 0)
        self.max_depth = (
            self.tree.max_depth
            if max_depth is None
            else check_int("max_depth", max_depth, 0)
        )
        self.features = self._feature_names(kauri_tree, feature_names)
        self.clusters = _names(
            "cluster_names", cluster_names, kauri_tree.n_clusters_, "n_clusters_"
        )
        if cluster_names is None:
            self.clusters = [str(k) for k in range(kauri_tree.n_clusters_)]

    @staticmethod
    def _feature_names(kauri_tree, feature_names):
        n_features = kauri_tree.n_features_in_
        if feature_names is None:
            feature_names = getattr(kauri_tree, "feature_names_in_", None)
        if feature_names is None:
            return [f"X[:, {f}]" for f in range(n_features)]
        return _names("feature_names", feature_names, n_features, "n_features_in_")

    def is_leaf(self, node):
        return self.tree.children_left[node] < 0

    def is_cut_off(self, node):
        """Whether the node has children that are too deep to be shown."""
        return not self.is_leaf(node) and self.tree.depths[node] >= self.max_depth

    def feature(self, node):
        return self.features[self.tree.features[node]]

    def threshold(self, node):
        return f"{self.tree.thresholds[node]:.{self.decimals}f}"

    def cluster(self, node):
        return self.clusters[self.tree.target[node]]

    def levels_from(self, node):
        """Number of levels from a node, itself included, to its deepest leaf."""
        top, pending = self.tree.depths[node], [node]
        deepest = top
        while pending:
            node = pending.pop()
            deepest = max(deepest, self.tree.depths[node])
            if not self.is_leaf(node):
                pending += [
                    self.tree.children_left[node],
                    self.tree.children_right[node],
                ]
        return deepest - top + 1

    def lines(self, node, node_ids, proportion):
        """The text of a node in a drawing, line by line."""
        lines = [f"node #{node}"] if node_ids else []
        if not self.is_leaf(node):
            lines.append(f"{self.feature(node)} <= {self.threshold(node)}")
            lines.append(f"gain = {self.tree.gains[node]:.{self.decimals}f}")
        size = self.tree.sizes[node]
        if proportion:
            share = 100.0 * size / self.tree.sizes[0]
            lines.append(f"samples = {share:.{min(self.decimals, 1)}f}%")
        else:
            lines.append(f"samples = {size}")
        if self.is_leaf(node):
            lines.append(f"cluster = {self.cluster(node)}")
        return lines

    def shown(self):
        """Nodes within the depth, each before its children, left before right."""
        pending, nodes = [0], []
        while pending:
            node = pending.pop()
            nodes.append(node)
            if not self.is_leaf(node) and not self.is_cut_off(node):
                pending.append(self.tree.children_right[node])
                pending.append(self.tree.children_left[node])
        return nodes

    def colour(self, node):
        """Fill of a node: that of its cluster for leaves, white for the others."""
        if not self.is_leaf(node):
            return "#ffffff"
        return _COLOURS[self.tree.target[node] % len(_COLOURS)]


def _names(argument, names, count, attribute):
    """Names as a list of strings, checked for their number."""
    if names is None:
        return None
    if isinstance(names, str) or not hasattr(names, "__len__"):
        raise TypeError(f"{argument} must be a list of {count} names, got {names!r}")
    if len(names) != count:
        raise ValueError(
            f"{argument} must hold {count} names ({attribute}), got {len(names)}"
        )
    return [str(name) for name in names]


def export_text(
    kauri_tree,
    *,
    feature_names=None,
    cluster_names=None,
    max_depth=10,
    spacing=3,
    decimals=2,
    show_sizes=False,
):
    """The rules of a tree as text.

    Parameters
    ----------
    kauri_tree : Kauri
        A fitted tree.
    feature_names : list of str of length D, default=None
        Names of the features; None takes those of the data frame of the fit,
        or ``X[:, 0]``, ``X[:, 1]``, ...
    cluster_names : list of str of length n_clusters_, default=None
        Names of the clusters; None takes their numbers.
    max_depth : int, default=10
        Number of splits shown on a way down; what lies below is cut off. None
        shows everything.
    spacing : int, default=3
        Width of an edge.
    decimals : int, default=2
        Number of decimals of the thresholds.
    show_sizes : bool, default=False
        Whether to show the number of training samples of each leaf.

    Returns
    -------
    report : str
        The rules, one line for each side of each split.

    Raises
    ------
    NotFittedError
        If the tree is not fitted.
    ValueError, TypeError
        If an argument is not what it should be.

    Examples
    --------
    >>> from gemclus.tree import Kauri, export_text
    >>> tree = Kauri(max_clusters=2).fit([[0.0], [1.0], [8.0], [9.0]])
    >>> print(export_text(tree, feature_names=["height"], show_sizes=True))
    |--- height <= 4.50
    |   |--- cluster: 0 (2 samples)
    |--- height >  4.50
    |   |--- cluster: 1 (2 samples)
    """
    reader = _Reader(kauri_tree, feature_names, cluster_names, decimals, max_depth)
    spacing = check_int("spacing", spacing, 1)
    show_sizes = check_bool("show_sizes", show_sizes)
    tree, lines = reader.tree, []

    def edge(node):
        return ("|" + " " * spacing) * tree.depths[node] + "|" + "-" * spacing + " "

    pending = [(0, None)]
    while pending:
        node, rule = pending.pop()
        if rule is not None:
            lines.append(rule)
        if reader.is_leaf(node):
            size = f" ({tree.sizes[node]} samples)" if show_sizes else ""
            lines.append(f"{edge(node)}cluster: {reader.cluster(node)}{size}")
        elif tree.depths[node] > reader.max_depth:
            below = reader.levels_from(node)
            lines.append(f"{edge(node)}truncated branch of depth {below}")
        else:
            test = f"{edge(node)}{reader.feature(node)} "
            threshold = reader.threshold(node)
            pending.append((tree.children_right[node], f"{test}>  {threshold}"))
            pending.append((tree.children_left[node], f"{test}<= {threshold}"))
    return "\n".join(lines)


def print_kauri_tree(kauri_tree, feature_names=None):
    """Print the rules of a tree, node by node.

    Parameters
    ----------
    kauri_tree : Kauri
        A fitted tree.
    feature_names : list of str of length D, default=None
        Names of the features; None takes those of the data frame of the fit,
        or ``X[:, 0]``, ``X[:, 1]``, ...

    Raises
    ------
    NotFittedError
        If the tree is not fitted.
    ValueError, TypeError
        If an argument is not what it should be.

    Examples
    --------
    >>> from gemclus.tree import Kauri, print_kauri_tree
    >>> tree = Kauri(max_clusters=2).fit([[0.0], [1.0], [8.0], [9.0]])
    >>> print_kauri_tree(tree)
    Node 0
    |=X[:, 0] <= 4.5
    | Node 1
    |  Cluster: 0
    |=X[:, 0] > 4.5
    | Node 2
    |  Cluster: 1
    """
    reader = _Reader(kauri_tree, feature_names, None)
    tree = reader.tree
    pending = [(0, None)]
    while pending:
        node, rule = pending.pop()
        indent = "| " * tree.depths[node]
        if rule is not None:
            print(rule)
        print(f"{indent}Node {node}")
        if reader.is_leaf(node):
            print(f"{indent} Cluster: {reader.cluster(node)}")
            continue
        test = f"{indent}|={reader.feature(node)}"
        threshold = f"{tree.thresholds[node]:.6g}"
        pending.append((tree.children_right[node], f"{test} > {threshold}"))
        pending.append((tree.children_left[node], f"{test} <= {threshold}"))


def export_graphviz(
    kauri_tree,
    out_file=None,
    *,
    max_depth=None,
    feature_names=None,
    cluster_names=None,
    filled=False,
    leaves_parallel=False,
    node_ids=False,
    proportion=False,
    rotate=False,
    rounded=False,
    decimals=3,
    fontname="helvetica",
):
    """The tree as source for Graphviz (``dot -Tsvg tree.dot``).

    Parameters
    ----------
    kauri_tree : Kauri
        A fitted tree.
    out_file : str, Path or file object, default=None
        Where to write; None returns the source.
    max_depth : int, default=None
        Number of splits shown on a way down.
    feature_names : list of str of length D, default=None
        Names of the features, as in `export_text`.
    cluster_names : list of str of length n_clusters_, default=None
        Names of the clusters; None takes their numbers.
    filled : bool, default=False
        Whether to paint each leaf in the colour of its cluster.
    leaves_parallel : bool, default=False
        Whether to draw all leaves at the bottom.
    node_ids : bool, default=False
        Whether to show the numbers of the nodes.
    proportion : bool, default=False
        Whether to show sizes as percentages.
    rotate : bool, default=False
        Whether to grow from left to right.
    rounded : bool, default=False
        Whether the boxes have round corners.
    decimals : int, default=3
        Number of decimals of thresholds and gains.
    fontname : str, default="helvetica"
        The font.

    Returns
    -------
    source : str or None
        The source, if `out_file` is None.

    Raises
    ------
    NotFittedError
        If the tree is not fitted.
    ValueError, TypeError
        If an argument is not what it should be.
    """
    reader = _Reader(kauri_tree, feature_names, cluster_names, decimals, max_depth)
    flags = {
        "filled": filled,
        "leaves_parallel": leaves_parallel,
        "node_ids": node_ids,
        "proportion": proportion,
        "rotate": rotate,
        "rounded": rounded,
    }
    for name, value in flags.items():
        check_bool(name, value)
    styles = [s for s, wanted in (("filled", filled), ("rounded", rounded)) if wanted]
    style = f', style="{", ".join(styles)}", color="black"' if styles else ""
    font = f'fontname="{_quote(str(fontname))}"'
    lines = ["digraph Tree {", f"node [shape=box{style}, {font}] ;", f"edge [{font}] ;"]
    if leaves_parallel:
        lines.append("graph [ranksep=equally, splines=polyline] ;")
    if rotate:
        lines.append("rankdir=LR ;")
    lines += _dot_nodes(reader, filled, node_ids, proportion)
    if leaves_parallel:
        leaves = [str(node) for node in reader.shown() if reader.is_leaf(node)]
        lines.append("{rank=same ; " + "; ".join(leaves) + "} ;")
    lines.append("}\n")
    source = "\n".join(lines)
    if out_file is None:
        return source
    if hasattr(out_file, "write"):
        out_file.write(source)
    else:
        Path(out_file).write_text(source, encoding="utf-8")
    return None


def _quote(text):
    """Text between double quotes of dot source."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _dot_nodes(reader, filled, node_ids, proportion):
    parents, lines = reader.tree.parents(), []
    for node in reader.shown():
        text = [_quote(line) for line in reader.lines(node, node_ids, proportion)]
        if reader.is_cut_off(node):
            text.append("(...)")
        fill = f', fillcolor="{reader.colour(node)}"' if filled else ""
        label = "\\n".join(text)
        lines.append(f'{node} [label="{label}"{fill}] ;')
        if node == 0:
            continue
        parent, label = parents[node], ""
        if parent == 0:
            # Only the first edges say which way is which, as readers expect.
            left = node == reader.tree.children_left[0]
            angle, word = ("45", "True") if left else ("-45", "False")
            label = f' [labeldistance=2.5, labelangle={angle}, headlabel="{word}"]'
        lines.append(f"{parent} -> {node}{label} ;")
    return lines


def plot_tree(
    kauri_tree,
    *,
    max_depth=None,
    feature_names=None,
    cluster_names=None,
    filled=False,
    node_ids=False,
    proportion=False,
    rounded=False,
    decimals=3,
    ax=None,
    fontsize=None,
):
    """Draw the tree with matplotlib.

    Parameters
    ----------
    kauri_tree : Kauri
        A fitted tree.
    max_depth : int, default=None
        Number of splits shown on a way down.
    feature_names : list of str of length D, default=None
        Names of the features, as in `export_text`.
    cluster_names : list of str of length n_clusters_, default=None
        Names of the clusters; None takes their numbers.
    filled : bool, default=False
        Whether to paint each leaf in the colour of its cluster.
    node_ids : bool, default=False
        Whether to show the numbers of the nodes.
    proportion : bool, default=False
        Whether to show sizes as percentages.
    rounded : bool, default=False
        Whether the boxes have round corners.
    decimals : int, default=3
        Number of decimals of thresholds and gains.
    ax : matplotlib.axes.Axes, default=None
        Where to draw; None takes the current axes.
    fontsize : float, default=None
        Size of the text; None takes the largest one at which boxes do not
        overlap in the figure as it is.

    Returns
    -------
    annotations : list of matplotlib.text.Annotation
        One box for each node shown.

    Raises
    ------
    NotFittedError
        If the tree is not fitted.
    ImportError
        If matplotlib is not installed.
    ValueError, TypeError
        If an argument is not what it should be.
    """
    reader = _Reader(kauri_tree, feature_names, cluster_names, decimals, max_depth)
    flags = {
        "filled": filled,
        "node_ids": node_ids,
        "proportion": proportion,
        "rounded": rounded,
    }
    for name, value in flags.items():
        check_bool(name, value)
    if ax is None:
        import matplotlib.pyplot as plt

        ax = plt.gca()
    nodes = reader.shown()
    place = _layout(reader, nodes)
    ax.set_axis_off()
    ax.set_xlim(-0.6, max(x for x, _ in place.values()) + 0.6)
    ax.set_ylim(min(y for _, y in place.values()) - 0.5, 0.5)
    parents, boxes = reader.tree.parents(), []
    for node in nodes:
        text = reader.lines(node, node_ids, proportion)
        if reader.is_cut_off(node):
            text.append("(...)")
        if parents[node] >= 0:
            ax.annotate(
                "",
                xy=place[node],
                xytext=place[parents[node]],
                arrowprops={"arrowstyle": "-|>", "color": "black"},
                zorder=1,
            )
        boxes.append(
            ax.annotate(
                "\n".join(text),
                xy=place[node],
                ha="center",
                va="center",
                fontsize=fontsize,
                zorder=2,
                bbox={
                    "boxstyle": "round" if rounded else "square",
                    "facecolor": reader.colour(node) if filled else "white",
                    "edgecolor": "black",
                },
            )
        )
    if fontsize is None:
        _fit_text(ax, boxes)
    return boxes


def _fit_text(ax, boxes):
    """Scale the text of the boxes so that neighbours keep apart."""
    # The frame adds 0.3 times the size of the text on each side.
    frame = 0.6 * boxes[0].get_fontsize() * ax.figure.dpi / 72
    extents = [box.get_window_extent() for box in boxes]
    sizes = np.array([(e.width + frame, e.height + frame) for e in extents])
    places = ax.transData.transform([box.xy for box in boxes])
    scale = ax.bbox.width / sizes[:, 0].max()
    for i in range(1, len(boxes)):
        # Two boxes keep apart if they do across or along.
        room = 2.0 * np.abs(places[i] - places[:i]) / (sizes[i] + sizes[:i])
        scale = min(scale, room.max(axis=1).min())
    fontsize = max(1.0, min(1.0, 0.9 * scale) * boxes[0].get_fontsize())
    for box in boxes:
        box.set_fontsize(fontsize)


def _layout(reader, nodes):
    """Place of each node: ends side by side, inner nodes above their children."""
    tree, place, n_ends = reader.tree, {}, 0
    for node in nodes:
        if reader.is_leaf(node) or reader.is_cut_off(node):
            place[node] = (float(n_ends), -float(tree.depths[node]))
            n_ends += 1
    # Children have larger numbers than their parents.
    for node in sorted(set(nodes) - set(place), reverse=True):
        left = place[tree.children_left[node]][0]
        right = place[tree.children_right[node]][0]
        place[node] = (0.5 * (left + right), -float(tree.depths[node]))
    return place
