"""Costs and predictions for which a shortcut of the transport would be wrong."""

import re
import threading

import numpy as np
import pytest
from oracles import ORACLES
from scipy.spatial.distance import cdist
from scipy.special import softmax

from gemclus.affinity import Distances
from gemclus.gemini import WassersteinGEMINI
from gemclus.gemini._transport import Transports
from gemclus.gemini._wasserstein import _solve

rng = np.random.default_rng(0)
D = cdist(*[rng.normal(size=(12, 2))] * 2)


def check_gradient(gemini, P, affinity, atol=1e-6):
    """The slope in random directions, which change the sums of rows as well."""
    gradient = gemini.evaluate(P, affinity, return_grad=True)[1]
    for seed in range(5):
        direction = np.random.default_rng(seed).normal(size=P.shape)
        ahead = gemini.evaluate(P + 1e-7 * direction, affinity)
        behind = gemini.evaluate(P - 1e-7 * direction, affinity)
        expected = (ahead - behind) / 2e-7
        assert (gradient * direction).sum() == pytest.approx(expected, abs=atol)


@pytest.mark.parametrize("is_metric", [False, True])
@pytest.mark.parametrize("ovo", [False, True])
@pytest.mark.parametrize("change", [0.3, -0.3, 1e-3, -1e-3, 1e-9, -1e-9])
def test_two_clusters_whose_rows_do_not_sum_to_one(change, ovo, is_metric):
    P = softmax(rng.normal(size=(12, 2)), axis=1)
    P[4] = [0.5, 0.5 + change]  # the only row
    gemini, affinity = WassersteinGEMINI(ovo), Distances(D, is_metric)
    oracle = ORACLES["wasserstein_ovo" if ovo else "wasserstein_ova"]
    value = gemini.evaluate(P, affinity)
    assert value == pytest.approx(oracle(P, D), rel=0, abs=1e-10)
    if abs(change) > 1e-6:
        check_gradient(gemini, P, affinity)


@pytest.mark.parametrize("n_clusters", [2, 3])
@pytest.mark.parametrize("ovo", [False, True])
@pytest.mark.parametrize("where", [0, 5, 11])
def test_a_single_sample_that_pays_for_staying(where, ovo, n_clusters):
    costs = D.copy()
    costs[where, where] = 0.8
    P = softmax(rng.normal(size=(12, n_clusters)), axis=1)
    gemini = WassersteinGEMINI(ovo)
    expected = ORACLES["wasserstein_ovo" if ovo else "wasserstein_ova"](P, costs)
    assert expected > gemini.evaluate(P, D) + 1e-4
    assert gemini.evaluate(P, costs) == pytest.approx(expected, rel=1e-8)
    check_gradient(gemini, P, costs)


@pytest.mark.parametrize("where", [(0, 11), (11, 0), (6, 5), (1, 0)])
def test_a_single_pair_that_costs_more_one_way(where):
    costs = D.copy()
    costs[where] *= 0.1
    P = softmax(rng.normal(size=(12, 3)), axis=1)
    gemini = WassersteinGEMINI(ovo=True)
    expected = ORACLES["wasserstein_ovo"](P, costs)
    assert gemini.evaluate(P, costs) == pytest.approx(expected, rel=1e-8)
    check_gradient(gemini, P, costs)


# Around the tiles in which symmetry is looked for.
@pytest.mark.parametrize("n", [1, 2, 63, 64, 65, 129])
def test_each_entry_counts_for_symmetry(n):
    costs = np.ones((n, n)) - np.eye(n)
    n_symmetric = Transports(costs, False, 3, True).n_problems
    assert n_symmetric == 3
    for i, j in {(0, n - 1), (n - 1, 0), (n - 1, n - 2), (n // 2, 0)}:
        if i == j or min(i, j) < 0:
            continue
        other = costs.copy()
        other[i, j] = 1.5
        assert Transports(other, False, 3, True).n_problems == 6


def test_a_matrix_changed_in_place_is_seen():
    P = softmax(rng.normal(size=(12, 3)), axis=1)
    gemini = WassersteinGEMINI(ovo=True)
    evaluate = gemini._training_evaluator()
    costs = D.copy()
    before = [evaluate(P, costs) for _ in range(3)][-1]
    costs *= 2.0
    assert evaluate(P, costs) == pytest.approx(2 * before, rel=1e-13)
    assert gemini.evaluate(P, costs) == pytest.approx(2 * before, rel=1e-13)


@pytest.mark.parametrize("ovo", [False, True])
def test_each_problem_has_its_share(ovo):
    """Clusters of very different sizes: no two problems may change places."""
    P = softmax(rng.normal(size=(12, 3)) + [0.0, 1.0, 3.0], axis=1)
    gemini = WassersteinGEMINI(ovo)
    expected = ORACLES["wasserstein_ovo" if ovo else "wasserstein_ova"](P, D)
    assert gemini.evaluate(P, D) == pytest.approx(expected, rel=1e-9)
    check_gradient(gemini, P, D)


class Blocking:
    """Problems that are not solved before somebody asks to stop."""

    def __init__(self):
        self.stopped = threading.Event()
        self.asked = []

    def reserve_threads(self, n_threads):
        return n_threads

    def set_stop(self, flag):
        self.asked.append(flag)
        if flag:
            self.stopped.set()

    def solve(self, thread=0, n_threads=1):
        if thread == 0:
            raise KeyboardInterrupt
        assert self.stopped.wait(10), "nobody stopped the other threads"
        raise InterruptedError


def test_ctrl_c_stops_the_other_threads():
    transports = Blocking()
    with pytest.raises(KeyboardInterrupt):
        _solve(transports, 3)
    assert transports.asked == [False, True]


def test_a_flag_stops_threads_and_lets_them_run_again():
    X = rng.normal(size=(1500, 5))
    transports = Transports(cdist(X, X), True, 3, False)
    P = softmax(rng.normal(size=(1500, 3)), axis=1)
    assert transports.weigh(P, 1e-12)
    transports.reserve_threads(2)
    transports.set_stop(True)
    with pytest.raises(InterruptedError):
        transports.solve(0, 2)
    transports.set_stop(False)
    transports.solve(0, 2)
    transports.solve(1, 2)
    again = WassersteinGEMINI().evaluate(P, Distances(cdist(X, X), True))
    assert transports.value() == again


@pytest.mark.parametrize("ovo", [False, True])
@pytest.mark.parametrize("is_metric", [False, True])
def test_an_interrupted_solve_leaves_nothing_behind(is_metric, ovo):
    """Neither half a basis nor its potentials."""
    X = rng.normal(size=(1200, 3))
    costs = cdist(X, X)
    first, second = softmax(rng.normal(size=(2, 1200, 3)), axis=2)
    transports = Transports(costs, is_metric, 3, ovo)
    assert transports.weigh(first, 1e-12)
    transports.reserve_threads(2)
    for thread in range(2):
        transports.solve(thread, 2)
    transports.keep_trees()
    assert transports.weigh(second, 1e-12)
    transports.set_stop(True)
    with pytest.raises(InterruptedError):
        transports.solve(0, 2)
    transports.set_stop(False)
    for thread in range(2):
        transports.solve(thread, 2)
    expected = WassersteinGEMINI(ovo).evaluate(second, Distances(costs, is_metric))
    assert transports.value() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("broken", [np.nan, np.inf, -1e-300])
@pytest.mark.parametrize("where", [(0, 0), (58, 35), (58, 36), (69, 69)])
def test_the_first_entry_that_is_no_cost_is_named(where, broken):
    """Also beyond the entries looked at together, and where some are larger."""
    costs = np.ones((70, 70))
    costs[69, 60:] = 1e300
    costs[where] = broken
    with pytest.raises(ValueError, match=re.escape(f"at {where}")):
        Transports(costs, False, 2, False)
    costs[69, 69] = np.nan  # a later one
    with pytest.raises(ValueError, match=re.escape(f"at {where}")):
        Transports(costs, False, 2, False)
