"""The rules of a tree as text."""

from __future__ import annotations

from typing import Any

from gemclus._common.typing import Names
from gemclus._common.validation import check_bool, check_int
from gemclus.tree._export.reader import Reader


def export_text(
    kauri_tree: Any,
    *,
    feature_names: Names = None,
    cluster_names: Names = None,
    max_depth: int | None = 10,
    spacing: int = 3,
    decimals: int = 2,
    show_sizes: bool = False,
) -> str:
    """The rules of a tree as text.

    Parameters
    ----------
    kauri_tree : Kauri or Pipeline
        A fitted tree, or a Pipeline that ends in one: its scalers, imputers,
        encoders and selectors are undone, and the rules are about its input.
    feature_names : list of str of length D, default=None
        Names of the input features; None takes those of the data frame of the fit,
        or ``X[:, 0]``, ``X[:, 1]``, ...
    cluster_names : list of str of length K, default=None
        Names of the clusters; None takes their numbers.
    max_depth : int, default=10
        Number of splits shown on a way down; what lies below is cut off. None
        shows everything.
    spacing : int, default=3
        Width of an edge.
    decimals : int, default=2
        Number of decimals of the thresholds, or more for a feature that has two
        which would read alike; what would read as zero gets an exponent.
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
        If an argument is not what it should be, or a step of the pipeline cannot be
        undone.

    See Also
    --------
    export_graphviz, plot_tree : Drawings.
    export_sql : The rules as SQL.

    Examples
    --------
    >>> from gemclus.tree import Kauri, export_text
    >>> tree = Kauri(max_clusters=2).fit([[0.0], [1.0], [8.0], [9.0]])
    >>> print(export_text(tree, feature_names=["height"], show_sizes=True))
    |--- height <= 4.50
    |   |--- cluster: 0 (2 samples)
    |--- height >  4.50
    |   |--- cluster: 1 (2 samples)

    The rules of a pipeline are in the units of its input:

    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> pipeline = make_pipeline(StandardScaler(), Kauri(max_clusters=2))
    >>> pipeline = pipeline.fit([[0.0], [1.0], [8.0], [9.0]])
    >>> print(export_text(pipeline, feature_names=["height"]))
    |--- height <= 4.50
    |   |--- cluster: 0
    |--- height >  4.50
    |   |--- cluster: 1
    """
    reader = Reader(kauri_tree, feature_names, cluster_names, decimals, max_depth)
    spacing = check_int("spacing", spacing, 1)
    show_sizes = check_bool("show_sizes", show_sizes)
    tree, lines = reader.tree, []

    def edge(node):
        return ("|" + " " * spacing) * tree.depths[node] + "|" + "-" * spacing + " "

    pending: list[tuple[int, str | None]] = [(0, None)]
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
            left, right = reader.tests(node, greater="> ")
            pending.append((tree.children_right[node], f"{edge(node)}{right}"))
            pending.append((tree.children_left[node], f"{edge(node)}{left}"))
    return "\n".join(lines)


def print_kauri_tree(kauri_tree: Any, feature_names: Names = None) -> None:
    """Print the rules of a tree, node by node.

    Parameters
    ----------
    kauri_tree : Kauri or Pipeline
        A fitted tree, or a Pipeline that ends in one: its scalers, imputers,
        encoders and selectors are undone, and the rules are about its input.
    feature_names : list of str of length D, default=None
        Names of the input features; None takes those of the data frame of the fit,
        or ``X[:, 0]``, ``X[:, 1]``, ...

    Raises
    ------
    NotFittedError
        If the tree is not fitted.
    ValueError, TypeError
        If an argument is not what it should be.

    See Also
    --------
    export_text : The rules as text, with more options.
    plot_tree : The tree drawn by matplotlib.

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
    reader = Reader(kauri_tree, feature_names, None)
    tree = reader.tree
    pending: list[tuple[int, str | None]] = [(0, None)]
    while pending:
        node, rule = pending.pop()
        indent = "| " * tree.depths[node]
        if rule is not None:
            print(rule)
        print(f"{indent}Node {node}")
        if reader.is_leaf(node):
            print(f"{indent} Cluster: {reader.cluster(node)}")
            continue
        left, right = reader.tests(node, significant=True)
        pending.append((tree.children_right[node], f"{indent}|={right}"))
        pending.append((tree.children_left[node], f"{indent}|={left}"))
