"""The leaves of a tree as rules: what each asks of every column, merged."""

from dataclasses import dataclass

import numpy as np

from gemclus.tree._export.columns import Membership


@dataclass(frozen=True)
class Interval:
    """Numbers above one bound and up to another.

    Attributes
    ----------
    low, high : float
        The bounds.
    missing : bool
        Whether rows without a value are in, too.
    """

    low: float = -np.inf
    high: float = np.inf
    missing: bool = True

    def narrowed(self, split, left):
        """The part of it on one side of a split."""
        missing = self.missing and split.missing_left is left
        if left:
            return Interval(self.low, min(self.high, split.threshold), missing)
        return Interval(max(self.low, split.threshold), self.high, missing)

    def is_empty(self):
        return not self.low < self.high and not self.missing


@dataclass(frozen=True)
class Categories:
    """Some categories of a column.

    Attributes
    ----------
    members : tuple
        Those that are in; None stands for a missing value.
    known : tuple
        All that the encoder knows.
    others : bool
        Whether all others are in, too.
    """

    members: tuple
    known: tuple
    others: bool

    @classmethod
    def all_of(cls, column):
        return cls(column.known, column.known, column.of_others is not None)

    def narrowed(self, split, left):
        """The part of it on one side of a split."""
        column = split.column
        ones = set(column.categories)
        members = tuple(c for c in self.members if (c in ones) != left)
        return Categories(
            members, self.known, self.others and bool(column.of_others) != left
        )

    def is_empty(self):
        return not self.members and not self.others


@dataclass(frozen=True)
class Rule:
    """A leaf: its node, its cluster, and what it asks of columns by position."""

    node: int
    cluster: int
    conditions: dict


def leaf_rules(reader):
    """The rules of a tree, left to right; those that no row meets are left out.

    Each asks at most one thing of a column, however often the tree looks at it.

    Yields
    ------
    rule : Rule
    """
    tree = reader.tree
    pending = [(0, {})]
    while pending:
        node, conditions = pending.pop()
        if any(condition.is_empty() for condition in conditions.values()):
            continue
        if reader.is_leaf(node):
            yield Rule(int(node), int(tree.target[node]), conditions)
            continue
        split = reader.splits[node]
        source = split.column.source
        before = conditions.get(source)
        if before is None:
            is_set = isinstance(split.column, Membership)
            before = Categories.all_of(split.column) if is_set else Interval()
        for child, left in (
            (tree.children_right[node], False),
            (tree.children_left[node], True),
        ):
            pending.append((child, conditions | {source: before.narrowed(split, left)}))
