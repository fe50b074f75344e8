"""A tree as source for Graphviz."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import IO, Any

from gemclus._common.typing import Names
from gemclus._common.validation import check_bool
from gemclus.tree._export.reader import Reader


def export_graphviz(
    kauri_tree: Any,
    out_file: str | PathLike[str] | IO[str] | None = None,
    *,
    max_depth: int | None = None,
    feature_names: Names = None,
    cluster_names: Names = None,
    filled: bool = False,
    leaves_parallel: bool = False,
    node_ids: bool = False,
    proportion: bool = False,
    rotate: bool = False,
    rounded: bool = False,
    decimals: int = 3,
    fontname: str = "helvetica",
) -> str | None:
    """The tree as source for Graphviz (``dot -Tsvg tree.dot``).

    Parameters
    ----------
    kauri_tree : Kauri or Pipeline
        A fitted tree, or a Pipeline that ends in one: its scalers, imputers,
        encoders and selectors are undone, and the rules are about its input.
    out_file : str, Path or file object, default=None
        Where to write; None returns the source.
    max_depth : int, default=None
        Number of splits shown on a way down.
    feature_names : list of str of length D, default=None
        Names of the features, as in `export_text`.
    cluster_names : list of str of length K, default=None
        Names of the clusters; None takes their numbers.
    filled : bool, default=False
        Whether to paint each node in the colour of its largest cluster, paler the
        more samples of others it has.
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
        Number of decimals of the thresholds, more where two would read alike.
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

    See Also
    --------
    plot_tree : The tree drawn by matplotlib.
    export_text : The rules of a tree as text.

    Notes
    -----
    An inner node says how much of the variation of the training samples its split
    explains: its gain, in percent of what would be gained if each sample had a
    cluster of its own.

    Examples
    --------
    >>> from gemclus.tree import Kauri, export_graphviz
    >>> tree = Kauri(max_clusters=2).fit([[0.0], [1.0], [8.0], [9.0]])
    >>> source = export_graphviz(tree, feature_names=["height"])
    >>> source.startswith("digraph"), "height" in source
    (True, True)
    """
    reader = Reader(kauri_tree, feature_names, cluster_names, decimals, max_depth)
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
    parents, colours, lines = reader.tree.parents(), reader.colours(), []
    for node in reader.shown():
        text = [_quote(line) for line in reader.lines(node, node_ids, proportion)]
        fill = f', fillcolor="{colours[node]}"' if filled else ""
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
