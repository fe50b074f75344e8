"""Trees that cluster, and that explain clusterings."""

from gemclus._common.public import publish
from gemclus.tree._douglas.estimator import Douglas
from gemclus.tree._export import (
    export_graphviz,
    export_text,
    plot_tree,
    print_kauri_tree,
)
from gemclus.tree._kauri.estimator import Kauri
from gemclus.tree._kauri.fidelity import FidelityReport, fidelity
from gemclus.tree._kauri.structure import KauriTree  # noqa: F401  of `Kauri.tree_`

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

publish(__name__, globals(), __all__ + ["KauriTree"])
