"""Trees that cluster, and that explain clusterings."""

from gemclus.tree._douglas import Douglas
from gemclus.tree._export import (
    export_graphviz,
    export_text,
    plot_tree,
    print_kauri_tree,
)
from gemclus.tree._fidelity import FidelityReport, fidelity
from gemclus.tree._kauri import Kauri

__all__ = [
    "Douglas",
    "FidelityReport",
    "Kauri",
    "export_graphviz",
    "export_text",
    "fidelity",
    "plot_tree",
    "print_kauri_tree",
]
