"""Exact transport: certificates, an independent solver, and warm against cold."""

import pickle
import signal
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from oracles import ORACLES
from scipy.optimize import linprog
from scipy.sparse import coo_array
from scipy.spatial.distance import cdist
from scipy.special import softmax
from sklearn.base import clone

from gemclus._base import DiscriminativeModel
from gemclus.affinity import Distances
from gemclus.gemini import WassersteinGEMINI
from gemclus.gemini._transport import Transports
from gemclus.gemini._wasserstein import WarmEvaluator


def solve_lp(costs, **constraints):
    tight = {"dual_feasibility_tolerance": 1e-10, "primal_feasibility_tolerance": 1e-10}
    answer = linprog(costs, method="highs-ds", options=tight, **constraints)
    assert answer.status == 0, answer.message
    return answer.fun


def draw_distances(name, rng, n):
    """(D, whether it is promised to be a metric)."""
    X = rng.normal(size=(n, 3))
    side = int(np.ceil(np.sqrt(n)))
    lattice = np.stack(np.divmod(np.arange(n), side), axis=1).astype(float)
    heavy = X * 10.0 ** rng.uniform(-100, 100, size=(n, 1))
    asymmetric = rng.uniform(size=(n, n))
    np.fill_diagonal(asymmetric, 0)
    return {
        "euclidean": lambda: (cdist(X, X), True),
        "unpromised": lambda: (cdist(X, X), False),
        "lattice": lambda: (cdist(lattice, lattice, "cityblock"), True),
        "unpromised lattice": lambda: (cdist(lattice, lattice, "cityblock"), False),
        "duplicates": lambda: (cdist(X[np.arange(n) % 5], X[np.arange(n) % 5]), True),
        "line": lambda: (cdist(X[:, :1], X[:, :1]), True),
        "equidistant": lambda: (1.0 - np.eye(n), True),
        "zero": lambda: (np.zeros((n, n)), True),
        "squared": lambda: (cdist(X, X, "sqeuclidean"), False),
        "cosine": lambda: (np.maximum(cdist(X, X, "cosine"), 0), False),
        "asymmetric": lambda: (asymmetric, False),
        "diagonal": lambda: (cdist(X, X) + 0.3, False),
        "noise": lambda: (rng.uniform(size=(n, n)), False),
        "tiny": lambda: (cdist(X, X) * 1e-150, True),
        "huge": lambda: (cdist(X, X) * 1e150, True),
        "largest": lambda: (cdist(X, X) / cdist(X, X).max() * 1.7e308, False),
        "subnormal": lambda: (cdist(X, X) * 1e-310, False),
        "badly scaled": lambda: (cdist(heavy, heavy, "cityblock"), True),
    }[name]()


DISTANCES = [
    "euclidean", "unpromised", "lattice", "unpromised lattice", "duplicates", "line",
    "equidistant", "zero", "squared", "cosine", "asymmetric", "diagonal", "noise",
    "tiny", "huge", "largest", "subnormal", "badly scaled",
]  # fmt: skip


def draw_predictions(name, rng, n, k):
    logits = rng.normal(size=(n, k))
    if name == "one-hot":
        return np.eye(k)[rng.integers(k, size=n)]
    if name == "20 orders":
        return softmax(12 * logits, axis=1)
    if name == "near uniform":
        return softmax(1e-9 * logits, axis=1)
    if name == "uniform":
        return np.full((n, k), 1 / k)
    if name == "empty cluster":
        P = softmax(logits, axis=1)
        P[:, 0] = 0
        return P / P.sum(axis=1, keepdims=True)
    if name == "independent":
        return np.tile(softmax(logits[:1], axis=1), (n, 1))
    return softmax(logits, axis=1)


PREDICTIONS = [
    "soft", "one-hot", "20 orders", "near uniform", "uniform",
    "empty cluster", "independent",
]  # fmt: skip


def assert_optimal(transports, D):
    """Dual feasible on all pairs, and a primal plan of the same value.

    The plan is found on the tight arcs only (complementary slackness), by flow.
    """
    values, u, v, weights, table, slack = transports.certificate()
    dmax = D.max()
    assert (slack >= -1e-13 * dmax).all()
    for q, (k, l) in enumerate(table):
        a, b = weights[k], weights[l]
        dual = (u[q] / (dmax or 1.0)) @ a - (v[q] / (dmax or 1.0)) @ b
        assert_allclose(values[q] / (dmax or 1.0), dual, rtol=0, atol=1e-13)
        tight = D / (dmax or 1.0) - (u[q][:, None] - v[q]) / (dmax or 1.0) <= 1e-12
        assert_allclose(unmoved_mass(a, b, tight), 0, atol=1e-8)


def unmoved_mass(a, b, allowed):
    """Least mass that a plan on the allowed pairs leaves behind."""
    n = len(a)
    i, j = np.nonzero(allowed)
    arcs = len(i)
    rows = np.concatenate([i, n + j])
    columns = np.concatenate([np.arange(arcs), np.arange(arcs)])
    A = coo_array((np.ones(2 * arcs), (rows, columns)), shape=(2 * n, arcs)).tocsr()
    return 1 + solve_lp(-np.ones(arcs), A_ub=A, b_ub=np.concatenate([a, b]))


def solved(D, is_metric, P, ovo=False):
    transports = Transports(D, is_metric, P.shape[1], ovo)
    assert transports.weigh(np.ascontiguousarray(P), 1e-12)
    transports.reserve_threads(1)
    transports.solve()
    return transports


@pytest.mark.parametrize("ovo", [False, True])
@pytest.mark.parametrize("predictions", PREDICTIONS)
@pytest.mark.parametrize("distances", DISTANCES)
def test_certificate(distances, predictions, ovo):
    rng = np.random.default_rng(0)
    for n, k in [(2, 2), (3, 3), (23, 3), (37, 2)]:
        D, is_metric = draw_distances(distances, rng, n)
        P = draw_predictions(predictions, rng, n, k)
        assert_optimal(solved(D, is_metric, P, ovo), D)


@pytest.mark.parametrize("ovo", [False, True])
@pytest.mark.parametrize(
    "distances", ["euclidean", "lattice", "squared", "cosine", "asymmetric", "diagonal"]
)
def test_definition(distances, ovo):
    rng = np.random.default_rng(1)
    for predictions in ["soft", "one-hot"]:
        D, is_metric = draw_distances(distances, rng, 15)
        P = draw_predictions(predictions, rng, 15, 3)
        P = np.clip(P, 1e-12, 1 - 1e-12)
        value = WassersteinGEMINI(ovo).evaluate(P, Distances(D, is_metric))
        oracle = ORACLES["wasserstein_ovo" if ovo else "wasserstein_ova"]
        assert_allclose(value, oracle(P, D), rtol=1e-8)


def test_another_solver():
    ot = pytest.importorskip("ot")
    rng = np.random.default_rng(2)
    D = cdist(*[rng.normal(size=(150, 5))] * 2)
    P = softmax(rng.normal(size=(150, 3)), axis=1)
    transports = solved(D, True, P)
    values, _, _, weights, _, _ = transports.certificate()
    expected = [ot.emd2(weights[k], weights[3] / weights[3].sum(), D) for k in range(3)]
    assert_allclose(values, expected, rtol=0, atol=1e-12 * D.max())


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("ovo", [False, True])
@pytest.mark.parametrize("n_clusters", [2, 3])
@pytest.mark.parametrize(
    "distances", ["euclidean", "squared", "asymmetric", "diagonal"]
)
def test_gradient(distances, n_clusters, ovo, dtype):
    rng = np.random.default_rng(3)
    D, is_metric = draw_distances(distances, rng, 40)
    P = softmax(rng.normal(size=(40, n_clusters)), axis=1).astype(dtype)
    gemini = WassersteinGEMINI(ovo)
    affinity = Distances(D, is_metric)
    value, gradient = gemini.evaluate(P, affinity, return_grad=True)
    assert gradient.dtype == dtype
    assert gemini.evaluate(P, affinity) == value
    h = 1e-7  # small, for the objective has kinks
    P = P.astype(np.float64)
    for _ in range(5):
        direction = rng.normal(size=P.shape)
        ahead = gemini.evaluate(P + h * direction, affinity)
        behind = gemini.evaluate(P - h * direction, affinity)
        expected = (ahead - behind) / (2 * h)
        tolerance = 1e-6 if dtype == np.float64 else 1e-5
        assert_allclose(
            (gradient * direction).sum(), expected, rtol=0, atol=tolerance * D.max()
        )


def test_gradient_is_zero_where_clipped():
    rng = np.random.default_rng(4)
    P = draw_predictions("one-hot", rng, 20, 3)
    P[3] = [0.2, 0.3, 0.5]
    D, _ = draw_distances("euclidean", rng, 20)
    _, gradient = WassersteinGEMINI(epsilon=1e-3).evaluate(P, D, return_grad=True)
    clipped = np.delete(np.arange(20), 3)
    assert not gradient[clipped].any()
    assert gradient[3].all()


@pytest.mark.parametrize("ovo", [False, True])
def test_conventions(ovo):
    rng = np.random.default_rng(5)
    D, _ = draw_distances("euclidean", rng, 30)
    gemini = WassersteinGEMINI(ovo)
    for P, value in [
        (np.ones((30, 1)), 0),
        (np.full((30, 4), 0.25), 0),
        (np.tile([[0.7, 0.1, 0.2]], (30, 1)), 0),
    ]:
        got, gradient = gemini.evaluate(P, D, return_grad=True)
        assert got == value
        assert np.isfinite(gradient).all()
    got, gradient = gemini.evaluate(np.array([[0.3, 0.7]]), np.zeros((1, 1)), True)
    assert got == 0
    assert_allclose(gradient, 0, atol=1e-15)
    P = softmax(rng.normal(size=(30, 3)), axis=1)
    wider = np.concatenate([P, np.zeros((30, 1))], axis=1)
    assert_allclose(gemini.evaluate(wider, D), gemini.evaluate(P, D), rtol=1e-9)
    two = softmax(rng.normal(size=(30, 2)), axis=1)
    assert_allclose(
        WassersteinGEMINI(False).evaluate(two, D),
        WassersteinGEMINI(True).evaluate(two, D),
        rtol=1e-13,
    )


@pytest.mark.parametrize("ovo", [False, True])
def test_permutations(ovo):
    rng = np.random.default_rng(6)
    D, _ = draw_distances("euclidean", rng, 40)
    P = softmax(rng.normal(size=(40, 3)), axis=1)
    gemini = WassersteinGEMINI(ovo)
    value, gradient = gemini.evaluate(P, D, True)
    order = rng.permutation(40)
    moved, moved_gradient = gemini.evaluate(P[order], D[np.ix_(order, order)], True)
    assert_allclose(moved, value, rtol=1e-13)
    assert_allclose(moved_gradient, gradient[order], atol=1e-12)
    assert_allclose(gemini.evaluate(P[:, ::-1], D), value, rtol=1e-13)


def test_inputs_are_not_modified():
    rng = np.random.default_rng(7)
    for distances in ["euclidean", "squared"]:
        D, _ = draw_distances(distances, rng, 20)
        P = draw_predictions("one-hot", rng, 20, 3)
        D.flags.writeable = P.flags.writeable = False
        WassersteinGEMINI(ovo=True).evaluate(P, D, return_grad=True)


def drift(rng, n, k, steps):
    """Predictions of a slowly moving model, whose clusters also change places."""
    X = rng.normal(size=(n, 4))
    W, move = rng.normal(size=(4, k)), rng.normal(size=(4, k))
    for step in range(steps):
        yield softmax(
            2 * X @ (W * np.cos(0.02 * step) + move * np.sin(0.02 * step)), axis=1
        )


@pytest.mark.parametrize("ovo", [False, True])
@pytest.mark.parametrize(
    "distances",
    ["euclidean", "unpromised", "lattice", "duplicates", "line",
     "equidistant", "squared",
     "cosine", "asymmetric", "diagonal", "unpromised lattice", "noise", "badly scaled"],
)  # fmt: skip
def test_warm_equals_cold(distances, ovo):
    rng = np.random.default_rng(8)
    D, is_metric = draw_distances(distances, rng, 60)
    gemini = WassersteinGEMINI(ovo)
    affinity = Distances(D, is_metric)
    warm = WarmEvaluator(gemini)
    steps = 300
    for step, P in enumerate(drift(rng, 60, 3, steps)):
        value = warm(P, affinity)
        if step % 10 == 9 or step == steps - 1:
            expected = gemini.evaluate(P, affinity)
            assert_allclose(value / D.max(), expected / D.max(), rtol=0, atol=1e-13)
    assert_optimal(warm._transports, D)
    counters = warm._transports.counters()
    problems = warm._transports.n_problems
    assert counters["warm"] + counters["cold"] == problems * steps
    # Shortest paths through other points, when nobody said that the triangle
    # inequality holds, are not always proved.
    share = 0.4 if distances == "unpromised lattice" else 0.9
    assert counters["warm"] > share * problems * steps


def test_warm_survives_jumps():
    # Unrelated predictions, empty clusters and equal rows between the steps.
    rng = np.random.default_rng(9)
    for distances in ["euclidean", "lattice", "squared", "noise"]:
        D, is_metric = draw_distances(distances, rng, 50)
        affinity = Distances(D, is_metric)
        for ovo in [False, True]:
            gemini = WassersteinGEMINI(ovo)
            warm = WarmEvaluator(gemini)
            for step in range(40):
                P = draw_predictions(PREDICTIONS[step % len(PREDICTIONS)], rng, 50, 3)
                value, gradient = warm(P, affinity, return_grad=True)
                assert_allclose(
                    value, gemini.evaluate(P, affinity), atol=1e-13 * D.max()
                )
                assert np.isfinite(gradient).all()
                assert_optimal(warm._transports, D)


def test_warm_gradient():
    rng = np.random.default_rng(10)
    D, is_metric = draw_distances("euclidean", rng, 40)
    affinity = Distances(D, is_metric)
    gemini = WassersteinGEMINI(ovo=True)
    warm = WarmEvaluator(gemini)
    for P in drift(rng, 40, 3, 30):
        _value, gradient = warm(P, affinity, return_grad=True)
    direction = rng.normal(size=P.shape)
    ahead = gemini.evaluate(P + 1e-6 * direction, affinity)
    behind = gemini.evaluate(P - 1e-6 * direction, affinity)
    assert_allclose((gradient * direction).sum(), (ahead - behind) / 2e-6, atol=1e-6)


def test_warm_depends_on_the_affinity():
    rng = np.random.default_rng(11)
    gemini = WassersteinGEMINI()
    warm = WarmEvaluator(gemini)
    P = softmax(rng.normal(size=(30, 3)), axis=1)
    for _ in range(3):
        affinity = Distances(draw_distances("euclidean", rng, 30)[0], True)
        for k in [3, 2, 3]:
            assert warm(P[:, :k], affinity) == pytest.approx(
                gemini.evaluate(P[:, :k], affinity), abs=1e-14
            )


@pytest.mark.parametrize("distances", ["euclidean", "squared", "noise"])
@pytest.mark.parametrize("ovo", [False, True])
def test_threads_do_not_change_a_bit(distances, ovo):
    rng = np.random.default_rng(12)
    D, is_metric = draw_distances(distances, rng, 80)
    affinity = Distances(D, is_metric)
    serial = WarmEvaluator(WassersteinGEMINI(ovo))
    threaded = [
        WarmEvaluator(WassersteinGEMINI(ovo, n_jobs=jobs)) for jobs in (2, 5, -1)
    ]
    for P in drift(rng, 80, 5, 20):
        value, gradient = serial(P, affinity, True)
        for evaluate in threaded:
            other, other_gradient = evaluate(P, affinity, True)
            assert other == value
            assert_array_equal(other_gradient, gradient)


def test_stateless_from_many_threads():
    rng = np.random.default_rng(13)
    D, _is_metric = draw_distances("euclidean", rng, 60)
    gemini = WassersteinGEMINI(ovo=True)
    predictions = [softmax(rng.normal(size=(60, 3)), axis=1) for _ in range(16)]
    expected = [gemini.evaluate(P, D) for P in predictions]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda P: gemini.evaluate(P, D), predictions)) == expected


class Alarm(Exception):
    pass


def ring(signum, frame):
    raise Alarm


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs POSIX timers")
@pytest.mark.parametrize("n_jobs", [None, 2])
def test_signals_stop_a_solve(n_jobs):
    # One problem takes longer than the timer, and nothing but the solver runs.
    rng = np.random.default_rng(17)
    D = cdist(*[rng.normal(size=(1500, 20))] * 2)
    affinity = Distances(D, True)
    P = softmax(rng.normal(size=(1500, 3)), axis=1)
    gemini = WassersteinGEMINI(ovo=True, n_jobs=n_jobs)
    evaluate = WarmEvaluator(gemini)
    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, 0.02)
    try:
        with pytest.raises(Alarm) as raised:
            evaluate(P, affinity)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    if n_jobs is None:
        assert any("solve" in entry.name for entry in raised.traceback)
    # What was interrupted can go on.
    assert evaluate(P[:, :2], affinity) == gemini.evaluate(P[:, :2], affinity)


def test_objective_keeps_nothing():
    rng = np.random.default_rng(14)
    gemini = WassersteinGEMINI(ovo=True, metric="cityblock", n_jobs=2)
    before = pickle.dumps(gemini)
    X = rng.normal(size=(20, 2))
    P = softmax(X, axis=1)
    value = gemini(P, gemini.compute_affinity(X))
    gemini._training_evaluator()(P, gemini._training_affinity(X))
    assert pickle.dumps(gemini) == before
    assert clone(gemini).get_params() == gemini.get_params()
    assert pickle.loads(before)(P, gemini.compute_affinity(X)) == value


def test_floating_point_unit_is_left_clean():
    # Compilers that use MMX registers without emms break the next x87 instruction,
    # such as those of a BLAS norm.
    rng = np.random.default_rng(16)
    D, is_metric = draw_distances("euclidean", rng, 150)
    affinity = Distances(D, is_metric)
    warm = WarmEvaluator(WassersteinGEMINI())
    for P in drift(rng, 150, 3, 40):
        warm(P, affinity)
        assert_array_equal(np.linalg.eigvalsh(np.eye(5)), 1)


class Softmax(DiscriminativeModel):
    """Logistic regression, the smallest model that trains."""

    def _init_params(self, random_state, X=None):
        self.W_ = random_state.normal(size=(X.shape[1], self.n_clusters))

    def _get_weights(self):
        return [self.W_]

    def _infer(self, X, retain=True):
        return softmax(X @ self.W_, axis=1)

    def _compute_grads(self, X, y_pred, gradient):
        T = y_pred * (gradient - (y_pred * gradient).sum(axis=1, keepdims=True))
        return [-X.T @ T]


class Stateless(WassersteinGEMINI):
    def evaluate(self, y_pred, affinity, return_grad=False):
        return super().evaluate(y_pred, affinity, return_grad)


@pytest.mark.parametrize("batch_size", [None, 25])
@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_training_agrees_with_stateless(metric, batch_size):
    X = np.random.default_rng(15).normal(size=(60, 3))
    models = [
        Softmax(
            gemini=objective(metric=metric), max_iter=30, learning_rate=0.05,
            batch_size=batch_size, random_state=0,
        ).fit(X)
        for objective in (WassersteinGEMINI, Stateless)
    ]  # fmt: skip
    assert_allclose(models[0].W_, models[1].W_, rtol=1e-6)
    pickle.loads(pickle.dumps(models[0]))


def test_metric_params_can_break_a_metric():
    X = np.random.default_rng(18).normal(size=(60, 2))
    P = softmax(X, axis=1)
    gemini = WassersteinGEMINI(metric="euclidean", metric_params={"squared": True})
    warm = WarmEvaluator(gemini)
    value = warm(P, gemini._training_affinity(X))
    D = cdist(X, X, "sqeuclidean")
    assert_allclose(value, ORACLES["wasserstein_ova"](P, D), rtol=1e-8)
    D = Distances(D, is_metric=True)
    assert abs(WassersteinGEMINI().evaluate(P, D) - value) > 1e-3, (
        "no difference to see"
    )


@pytest.mark.parametrize("broken", [np.nan, np.inf, -1.0])
def test_bad_distances(broken):
    P = np.full((4, 2), 0.5)
    D = np.ones((4, 4))
    D[1, 2] = broken
    with pytest.raises(ValueError, match="affinity must"):
        WassersteinGEMINI().evaluate(P, D)
    with pytest.raises(ValueError, match=r"affinity must.*\(1, 2\)|must be finite"):
        WassersteinGEMINI().evaluate(P, Distances(D, True))


@pytest.mark.parametrize(
    ("affinity", "error", "message"),
    [
        (None, ValueError, "affinity must be distances of shape"),
        (np.ones((3, 3)), ValueError, "affinity must have shape"),
        (np.ones((4, 3)), ValueError, "affinity must have shape"),
        (np.ones(4), ValueError, "affinity must have shape"),
        (np.full((4, 4), "a"), TypeError, "affinity must hold real numbers"),
    ],
)
def test_bad_affinity(affinity, error, message):
    with pytest.raises(error, match=message):
        WassersteinGEMINI().evaluate(np.full((4, 2), 0.5), affinity)


@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        ({"ovo": 1}, TypeError),
        ({"epsilon": -1.0}, ValueError),
        ({"epsilon": "small"}, TypeError),
        ({"n_jobs": 0}, ValueError),
        ({"n_jobs": 1.5}, TypeError),
    ],
)
def test_bad_parameters(parameters, error):
    (name,) = parameters
    with pytest.raises(error, match=name):
        WassersteinGEMINI(**parameters).evaluate(np.full((4, 2), 0.5), 1 - np.eye(4))
