"""A tree drawn by matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gemclus._common.typing import Names
from gemclus._common.validation import check_bool
from gemclus.tree._export.reader import Reader, colour_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Annotation


def plot_tree(
    kauri_tree: Any,
    *,
    max_depth: int | None = None,
    feature_names: Names = None,
    cluster_names: Names = None,
    filled: bool = False,
    node_ids: bool = False,
    proportion: bool = False,
    rounded: bool = False,
    decimals: int = 3,
    ax: Axes | None = None,
    fontsize: float | None = None,
    legend: bool | None = None,
) -> list[Annotation]:
    """Draw the tree with matplotlib.

    Parameters
    ----------
    kauri_tree : Kauri or Pipeline
        A fitted tree, or a Pipeline that ends in one: its scalers, imputers,
        encoders and selectors are undone, and the rules are about its input.
    max_depth : int, default=None
        Number of splits shown on a way down.
    feature_names : list of str of length D, default=None
        Names of the features, as in `export_text`.
    cluster_names : list of str of length K, default=None
        Names of the clusters; None takes their numbers.
    filled : bool, default=False
        Whether to paint each node in the colour of its largest cluster, paler the
        more samples of others it has.
    node_ids : bool, default=False
        Whether to show the numbers of the nodes.
    proportion : bool, default=False
        Whether to show sizes as percentages.
    rounded : bool, default=False
        Whether the boxes have round corners.
    decimals : int, default=3
        Number of decimals of the thresholds, more where two would read alike.
    ax : matplotlib.axes.Axes, default=None
        Where to draw; None takes the current axes.
    fontsize : float, default=None
        Size of the text; None takes the largest one at which boxes do not
        overlap in the figure as it is.
    legend : bool, default=None
        Whether to list the colours of the clusters; None does so if `filled`.

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

    See Also
    --------
    export_graphviz : The tree as source for Graphviz.
    export_text : The rules of a tree as text.

    Notes
    -----
    An inner node says how much of the variation of the training samples its split
    explains: its gain, in percent of what would be gained if each sample had a
    cluster of its own.

    Examples
    --------
    >>> from gemclus.tree import Kauri, plot_tree
    >>> tree = Kauri(max_clusters=2).fit([[0.0], [1.0], [8.0], [9.0]])
    >>> len(plot_tree(tree, feature_names=["height"]))
    3
    """
    reader = Reader(kauri_tree, feature_names, cluster_names, decimals, max_depth)
    flags = {
        "filled": filled,
        "node_ids": node_ids,
        "proportion": proportion,
        "rounded": rounded,
        "legend": filled if legend is None else legend,
    }
    for name, value in flags.items():
        check_bool(name, value)
    legend = flags["legend"]
    if ax is None:
        import matplotlib.pyplot as plt

        ax = plt.gca()
    nodes = reader.shown()
    place = _layout(reader, nodes)
    texts = ["\n".join(reader.lines(node, node_ids, proportion)) for node in nodes]
    ax.set_axis_off()
    ax.set_xlim(-0.6, max(x for x, _ in place.values()) + 0.6)
    ax.set_ylim(min(y for _, y in place.values()) - 0.5, 0.5)
    arrows = _draw_arrows(ax, reader, nodes, place)
    boxes = _draw_boxes(ax, reader, nodes, place, fontsize, filled, rounded, texts)
    if fontsize is None:
        _fit_text(ax, boxes)
    for arrow in arrows:
        arrow.set_fontsize(boxes[0].get_fontsize())
    if legend:
        _draw_legend(ax, reader)
    return boxes


def _draw_arrows(ax, reader, nodes, place):
    """Arrows from parents to children; the first ones say which way is which."""
    parents, words = reader.tree.parents(), []
    for node in nodes:
        parent = parents[node]
        if parent < 0:
            continue
        ax.annotate(
            "",
            xy=place[node],
            xytext=place[parent],
            arrowprops={"arrowstyle": "-|>", "color": "black"},
            zorder=1,
        )
        if parent == 0:
            is_left = node == reader.tree.children_left[0]
            middle = 0.5 * (np.array(place[node]) + np.array(place[parent]))
            words.append(
                ax.annotate(
                    "True  " if is_left else "  False",
                    xy=tuple(middle),
                    ha="right" if is_left else "left",
                    va="center",
                    zorder=1,
                )
            )
    return words


def _draw_boxes(ax, reader, nodes, place, fontsize, filled, rounded, texts):
    colours = reader.colours()
    return [
        ax.annotate(
            text,
            xy=place[node],
            ha="center",
            va="center",
            fontsize=fontsize,
            zorder=2,
            # Names may hold dollars, which are no formulas here.
            parse_math=False,
            bbox={
                "boxstyle": "round" if rounded else "square",
                "facecolor": colours[node] if filled else "white",
                "edgecolor": "black",
            },
        )
        for node, text in zip(nodes, texts, strict=True)
    ]


def _draw_legend(ax, reader):
    """The colours of the clusters, by name."""
    from matplotlib.patches import Patch

    patches = [
        Patch(facecolor=colour_of(k), edgecolor="black", label=name)
        for k, name in enumerate(reader.clusters)
    ]
    drawn = ax.legend(handles=patches, title="cluster", loc="upper right")
    for text in drawn.get_texts():
        text.set_parse_math(False)


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
