"""Trees that cluster, and that explain clusterings."""

from gemclus._common.public import publish
from gemclus.tree._douglas.estimator import Douglas
from gemclus.tree._export.graphviz import export_graphviz
from gemclus.tree._export.plot import plot_tree
from gemclus.tree._export.sql import export_sql
from gemclus.tree._export.text import export_text, print_kauri_tree
from gemclus.tree._kauri.estimator import Kauri
from gemclus.tree._kauri.fidelity import FidelityReport, fidelity
from gemclus.tree._kauri.structure import KauriTree  # noqa: F401  of `Kauri.tree_`

__all__ = [
    "Douglas",
    "FidelityReport",
    "Kauri",
    "export_graphviz",
    "export_sql",
    "export_text",
    "fidelity",
    "plot_tree",
    "print_kauri_tree",
]

publish(__name__, globals(), __all__ + ["KauriTree"])
