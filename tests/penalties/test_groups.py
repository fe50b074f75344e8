"""Groups of features: what they may be, and what they become."""

import numpy as np
import pytest

from gemclus.penalties import check_groups


def as_lists(groups):
    return [group.tolist() for group in groups]


@pytest.mark.parametrize(
    "groups",
    [
        [[3, 1], [4]],
        ((3, 1), (4,)),
        [np.array([3, 1]), np.array([4], dtype=np.uint8)],
        iter([range(3, 0, -2), [4]]),
    ],
)
def test_features_not_named_stand_alone(groups):
    assert as_lists(check_groups(groups, 6)) == [[3, 1], [4], [0], [2], [5]]


@pytest.mark.parametrize("groups", [None, [], ()])
def test_no_groups(groups):
    assert as_lists(check_groups(groups, 3)) == [[0], [1], [2]]


def test_array_of_groups():
    assert as_lists(check_groups(np.arange(4).reshape(2, 2), 5)) == [
        [0, 1],
        [2, 3],
        [4],
    ]


def test_groups_are_copies():
    group = np.array([0, 1])
    checked = check_groups([group], 2)
    checked[0][0] = 7
    assert group.tolist() == [0, 1]


@pytest.mark.parametrize(
    "groups, error, match",
    [
        ([[0, 1], [1, 2]], ValueError, "overlap.*feature 1 is named 2 times"),
        ([[2, 2]], ValueError, "overlap.*feature 2"),
        ([[0], [5]], ValueError, r"groups\[1\].*from 0 to 4, got 5"),
        ([[-1]], ValueError, r"groups\[0\].*got -1"),
        ([[0], []], ValueError, r"groups\[1\].*empty"),
        ([0, 1], TypeError, r"groups\[0\] must be a sequence"),
        ([[0.0, 1.0]], TypeError, r"groups\[0\]"),
        ([[True, False]], TypeError, r"groups\[0\]"),
        ([["a"]], TypeError, r"groups\[0\]"),
        ([[[0, 1]]], TypeError, r"groups\[0\]"),
        ([[0, [1, 2]]], TypeError, r"groups\[0\]"),
        ("01", TypeError, "groups must be a sequence"),
        (3, TypeError, "groups must be a sequence"),
    ],
)
def test_refusals(groups, error, match):
    with pytest.raises(error, match=match):
        check_groups(groups, 5)
