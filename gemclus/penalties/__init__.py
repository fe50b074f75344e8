"""Penalties that make models use few features."""

from gemclus.penalties._groups import check_groups
from gemclus.penalties._lasso import GroupLasso, GroupPenalty, HierarchicalLasso

__all__ = ["GroupLasso", "GroupPenalty", "HierarchicalLasso", "check_groups"]
