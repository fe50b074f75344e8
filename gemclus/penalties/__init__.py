"""Penalties that make models use few features."""

from gemclus._common.public import publish
from gemclus.penalties._groups import check_groups
from gemclus.penalties._lasso import GroupLasso, GroupPenalty, HierarchicalLasso

__all__ = ["GroupLasso", "GroupPenalty", "HierarchicalLasso", "check_groups"]

publish(__name__, globals(), __all__)
