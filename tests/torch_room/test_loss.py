"""`GeminiLoss` against the NumPy objectives, finite differences and repeated rows."""

import numpy as np
import pytest
from oracles import ORACLES

torch = pytest.importorskip("torch")

from gemclus.affinity import DenseKernel, Distances, FactoredKernel
from gemclus.gemini import (
    AVAILABLE_GEMINIS,
    GEMINI,
    MMDGEMINI,
    HellingerGEMINI,
    WassersteinGEMINI,
)
from gemclus.gemini._registry import make_gemini
from gemclus.torch import GeminiLoss

EXACT = dict(rtol=1e-12, atol=1e-12)
every_objective = pytest.mark.parametrize("name", AVAILABLE_GEMINIS)
KERNELS = [
    ("linear", None),
    ("cosine", None),
    ("rbf", {"gamma": 0.3}),
    ("laplacian", None),
    ("poly", {"degree": 2, "coef0": 0.5}),
    ("sigmoid", {"gamma": 0.1}),
    ("chi2", None),
]


def problem(N=30, K=4, D=3, seed=0, scale=1.5):
    generator = np.random.RandomState(seed)
    X = generator.gamma(2.0, size=(N, D))
    return X, scale * generator.normal(size=(N, K))


def softmax(logits):
    P = np.exp(logits - logits.max(axis=1, keepdims=True))
    return P / P.sum(axis=1, keepdims=True)


def of_numpy(gemini, logits, X):
    """Value, and gradient with respect to the logits."""
    P = softmax(logits)
    value, G = gemini.evaluate(P, gemini.compute_affinity(X), return_grad=True)
    return value, P * (G - (P * G).sum(axis=1, keepdims=True))


def of_torch(loss, logits, *args, **kwargs):
    logits = torch.tensor(logits, requires_grad=True)
    value = loss(logits, *args, **kwargs)
    value.sum().backward()
    return value.detach().numpy(), logits.grad.numpy()


def assert_equals_numpy(loss, gemini, logits, X):
    value, gradient = of_torch(loss, logits, X)
    expected, slope = of_numpy(gemini, logits, X)
    np.testing.assert_allclose(-value, expected, **EXACT)
    np.testing.assert_allclose(-gradient, slope, **EXACT)


@every_objective
@pytest.mark.parametrize("K", [2, 4, 7])
def test_values_and_gradients_equal_those_of_numpy(name, K):
    X, logits = problem(K=K)
    assert_equals_numpy(GeminiLoss(name), make_gemini(name), logits, X)


@every_objective
def test_values_equal_the_naive_definition(name):
    X, logits = problem(N=12, K=3)
    A = make_gemini(name).compute_affinity(X)
    value = GeminiLoss(name)(torch.tensor(logits), X)
    np.testing.assert_allclose(-value, ORACLES[name](softmax(logits), A), rtol=1e-9)


@every_objective
def test_saturated_logits_are_clipped_as_by_numpy(name):
    X, logits = problem(scale=40.0)
    loss, gemini = GeminiLoss(name, epsilon=1e-6), make_gemini(name)
    gemini.set_params(epsilon=1e-6)
    value, gradient = of_torch(loss, logits, X)
    expected, slope = of_numpy(gemini, logits, X)
    np.testing.assert_allclose(-value, expected, rtol=1e-11, atol=1e-12)
    scale = max(1.0, abs(expected))
    np.testing.assert_allclose(-gradient / scale, slope / scale, atol=1e-10)


@pytest.mark.parametrize("ovo", [False, True])
@pytest.mark.parametrize("kernel, params", KERNELS, ids=[name for name, _ in KERNELS])
def test_every_kernel(kernel, params, ovo):
    X, logits = problem()
    loss = GeminiLoss("mmd", ovo=ovo, kernel=kernel, kernel_params=params)
    gemini = MMDGEMINI(ovo=ovo, kernel=kernel, kernel_params=params)
    assert_equals_numpy(loss, gemini, logits, X)
    # The instance means the same.
    assert_equals_numpy(GeminiLoss(gemini), gemini, logits, X)


@pytest.mark.parametrize("ovo", [False, True])
def test_an_offset_of_the_data_costs_no_digits(ovo):
    X, logits = problem()
    loss = GeminiLoss("mmd", ovo=ovo)
    value, gradient = of_torch(loss, logits, X)
    far, slope = of_torch(loss, logits, X + 2.0**20)
    np.testing.assert_allclose(far, value, rtol=1e-8)
    np.testing.assert_allclose(slope, gradient, atol=1e-9)


@pytest.mark.parametrize("ovo", [False, True])
@pytest.mark.parametrize("metric", ["manhattan", "cosine"])
def test_other_metrics(metric, ovo):
    X, logits = problem()
    gemini = WassersteinGEMINI(ovo=ovo, metric=metric)
    assert_equals_numpy(
        GeminiLoss("wasserstein", ovo=ovo, metric=metric), gemini, logits, X
    )


@every_objective
@pytest.mark.parametrize("weighted", [False, True])
def test_gradcheck(name, weighted):
    X, logits = problem(N=9, K=3)
    loss = GeminiLoss(name, balance=0.7)
    weight = np.arange(9.0) if weighted else None
    assert torch.autograd.gradcheck(
        lambda z: loss(z, X, sample_weight=weight),
        torch.tensor(logits, requires_grad=True),
        eps=1e-6,
        atol=1e-7,
    )


@every_objective
def test_probabilities_instead_of_logits(name):
    X, logits = problem()
    value = GeminiLoss(name)(torch.tensor(logits), X)
    P = torch.tensor(softmax(logits))
    np.testing.assert_allclose(
        GeminiLoss(name, from_logits=False)(P, X), value, **EXACT
    )


@every_objective
def test_integer_weights_repeat_rows(name):
    X, logits = problem(N=14, K=3)
    weight = np.random.RandomState(1).randint(0, 4, size=14)
    weight[:2] = 0, 3
    loss = GeminiLoss(name, balance=0.5)
    value, gradient = of_torch(loss, logits, X, sample_weight=weight)
    repeated, slope = of_torch(
        loss, np.repeat(logits, weight, 0), np.repeat(X, weight, 0)
    )
    np.testing.assert_allclose(value, repeated, **EXACT)
    if name.startswith("wasserstein"):  # dual potentials need not be unique
        return
    expected = np.zeros_like(logits)
    np.add.at(expected, np.repeat(np.arange(14), weight), slope)
    np.testing.assert_allclose(gradient, expected, **EXACT)


@every_objective
def test_a_common_factor_of_the_weights_changes_nothing(name):
    X, logits = problem(N=14, K=3)
    value, gradient = of_torch(GeminiLoss(name), logits, X)
    scaled, slope = of_torch(
        GeminiLoss(name), logits, X, sample_weight=np.full(14, 7.0)
    )
    np.testing.assert_allclose(scaled, value, **EXACT)
    if not name.startswith("wasserstein"):
        np.testing.assert_allclose(slope, gradient, **EXACT)


@pytest.mark.parametrize("name", ["mi", "chi2_ovo", "mmd_ovo", "wasserstein_ova"])
def test_rows_of_weight_zero_may_hold_anything(name):
    X, logits = problem(N=14, K=3)
    X[3], logits[5] = np.nan, np.nan
    weight = np.ones(14)
    weight[[3, 5]] = 0
    value, gradient = of_torch(GeminiLoss(name), logits, X, sample_weight=weight)
    kept = weight > 0
    expected, slope = of_torch(GeminiLoss(name), logits[kept], X[kept])
    np.testing.assert_allclose(value, expected, **EXACT)
    assert (gradient[~kept] == 0).all()
    assert np.isfinite(gradient).all()
    if name != "wasserstein_ova":
        np.testing.assert_allclose(gradient[kept], slope, **EXACT)


@every_objective
def test_balance_adds_the_entropy_of_the_proportions(name):
    X, logits = problem()
    pi = softmax(logits).mean(axis=0)
    plain = GeminiLoss(name)(torch.tensor(logits), X)
    balanced = GeminiLoss(name, balance=2.5)(torch.tensor(logits), X)
    np.testing.assert_allclose(balanced, plain + 2.5 * (pi * np.log(pi)).sum(), **EXACT)


@every_objective
def test_heads_are_evaluated_one_by_one(name):
    X, _ = problem()
    logits = np.random.RandomState(3).normal(size=(3, 30, 4))
    values, gradients = of_torch(GeminiLoss(name, balance=1.0), logits, X)
    assert values.shape == (3,)
    for value, gradient, head in zip(values, gradients, logits):
        expected, slope = of_torch(GeminiLoss(name, balance=1.0), head, X)
        np.testing.assert_allclose(value, expected, **EXACT)
        np.testing.assert_allclose(gradient, slope, **EXACT)


@every_objective
def test_independence_one_cluster_and_one_sample_are_worth_nothing(name):
    X, logits = problem(N=20)
    equal = np.tile(logits[:1], (20, 1))
    for case, data in [
        (equal, X),
        (logits[:, :1], X),
        (logits[:1], X[:1]),
    ]:
        value, gradient = of_torch(GeminiLoss(name), case, data)
        assert abs(float(value)) <= 1e-11
        assert np.isfinite(gradient).all()
        if case is not equal:  # where roots of squares have no derivative
            np.testing.assert_allclose(gradient, 0, atol=1e-11)


@every_objective
def test_single_precision_stays_single_and_half_becomes_single(name):
    X, logits = problem()
    expected = float(GeminiLoss(name)(torch.tensor(logits), X))
    for dtype, error in [(torch.float32, 1e-5), (torch.bfloat16, 0.05)]:
        z = torch.tensor(logits, dtype=dtype, requires_grad=True)
        value = GeminiLoss(name)(z, X)
        value.backward()
        assert value.dtype == torch.float32
        assert z.grad.dtype == dtype
        assert z.grad.isfinite().all()
        assert value.item() == pytest.approx(expected, rel=error)


@every_objective
def test_single_precision_of_saturated_logits_is_finite(name):
    X, logits = problem(scale=100.0)
    value, gradient = of_torch(GeminiLoss(name), logits.astype(np.float32), X)
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()


def test_autocast_does_not_lower_the_precision():
    X, logits = problem()
    z = torch.tensor(logits, dtype=torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        value = GeminiLoss("mmd_ovo")(z, X)
    assert value == GeminiLoss("mmd_ovo")(z, X)


@pytest.mark.parametrize("ovo", [False, True])
def test_affinities_instead_of_samples(ovo):
    X, logits = problem()
    z = torch.tensor(logits)
    for given in (
        X @ X.T,
        torch.tensor(X @ X.T),
        DenseKernel(X @ X.T),
        FactoredKernel(X),
    ):
        loss = GeminiLoss("mmd", ovo=ovo, kernel="precomputed")
        np.testing.assert_allclose(
            loss(z, affinity=given), GeminiLoss("mmd", ovo=ovo)(z, X), **EXACT
        )
    D = np.sqrt(((X[:, None] - X) ** 2).sum(axis=-1))
    for given in (D, torch.tensor(D), Distances(D, True)):
        loss = GeminiLoss("wasserstein", ovo=ovo)
        np.testing.assert_allclose(loss(z, affinity=given), loss(z, X), **EXACT)


def test_affinities_lose_the_rows_of_weight_zero():
    X, logits = problem()
    weight = np.arange(30.0) % 3
    for name in ("mmd_ova", "mmd_ovo", "wasserstein_ova", "wasserstein_ovo"):
        affinity = make_gemini(name).compute_affinity(X)
        loss = GeminiLoss(name)
        given = loss(torch.tensor(logits), affinity=affinity, sample_weight=weight)
        computed = loss(torch.tensor(logits), X, sample_weight=weight)
        np.testing.assert_allclose(given, computed, **EXACT)


@pytest.mark.parametrize("ovo", [False, True])
def test_costs_that_are_no_metric_are_weighted_too(ovo):
    X, logits = problem(N=10, K=3)
    D = ((X[:, None] - X) ** 2).sum(axis=-1)
    weight = np.random.RandomState(0).randint(1, 4, size=10)
    loss = GeminiLoss("wasserstein", ovo=ovo)
    value = loss(torch.tensor(logits), affinity=D, sample_weight=weight)
    rows = np.repeat(np.arange(10), weight)
    repeated = loss(torch.tensor(logits[rows]), affinity=D[np.ix_(rows, rows)])
    np.testing.assert_allclose(value, repeated, **EXACT)


@pytest.mark.parametrize("ovo", [False, True])
def test_costs_of_any_kind_are_weighted_as_by_numpy(ovo):
    """Not symmetric, and not zero on the diagonal."""
    _, logits = problem(N=10, K=3)
    generator = np.random.RandomState(0)
    C, weight = generator.uniform(size=(10, 10)), generator.uniform(0.1, 3.0, size=10)
    loss, gemini = GeminiLoss("wasserstein", ovo=ovo), WassersteinGEMINI(ovo=ovo)
    value, gradient = of_torch(loss, logits, affinity=C, sample_weight=weight)
    P = softmax(logits)
    expected, G = gemini.evaluate(P, C, return_grad=True, sample_weight=weight)
    np.testing.assert_allclose(-value, expected, **EXACT)
    slope = P * (G - (P * G).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(-gradient, slope, **EXACT)
    # And as repeated rows, of which NumPy knows nothing.
    repeats = generator.randint(1, 4, size=10)
    rows = np.repeat(np.arange(10), repeats)
    whole = loss(torch.tensor(logits[rows]), affinity=C[np.ix_(rows, rows)])
    given = loss(torch.tensor(logits), affinity=C, sample_weight=repeats)
    np.testing.assert_allclose(given, whole, **EXACT)


def test_an_objective_without_a_formula_is_named(monkeypatch):
    names = [*AVAILABLE_GEMINIS, "renyi_ova"]
    monkeypatch.setattr("gemclus.torch._objective.AVAILABLE_GEMINIS", names)
    with pytest.raises(ValueError, match="'renyi_ova' has no formula.*instance.*'mmd'"):
        GeminiLoss("renyi_ova")


def test_images_are_flattened_and_take_no_gradient():
    generator = np.random.RandomState(0)
    images = torch.tensor(generator.normal(size=(20, 2, 3, 3)), requires_grad=True)
    z = torch.tensor(generator.normal(size=(20, 4)), requires_grad=True)
    value = GeminiLoss("mmd_ova")(z, images)
    value.backward()
    assert images.grad is None
    assert value == GeminiLoss("mmd_ova")(z, images.reshape(20, -1))


def test_callable_kernels_and_metrics():
    X, logits = problem()
    z = torch.tensor(logits)
    kernel = GeminiLoss("mmd_ova", kernel=lambda X: X @ X.T)
    np.testing.assert_allclose(kernel(z, X), GeminiLoss("mmd_ova")(z, X), **EXACT)
    metric = GeminiLoss(
        "wasserstein_ova", metric=lambda X: np.abs(X[:, None] - X).sum(axis=-1)
    )
    expected = GeminiLoss("wasserstein_ova", metric="manhattan")(z, X)
    np.testing.assert_allclose(metric(z, X), expected, **EXACT)


class Own(GEMINI):
    """Of the user: the weighted mean of a function of the predictions."""

    def compute_affinity(self, X, y=None):
        return np.asarray(X).sum(axis=1)

    def evaluate(self, y_pred, affinity, return_grad=False):
        value = float(affinity @ y_pred[:, 0])
        G = np.zeros_like(y_pred)
        G[:, 0] = affinity
        return (value, G) if return_grad else value


def test_a_gemini_of_ones_own():
    X, logits = problem()
    assert_equals_numpy(GeminiLoss(Own()), Own(), logits, X)
    with pytest.raises(ValueError, match="sample_weight needs an objective"):
        GeminiLoss(Own())(torch.tensor(logits), X, sample_weight=np.ones(30))


def test_families_names_and_instances_mean_the_same():
    _, logits = problem()
    z = torch.tensor(logits)
    expected = GeminiLoss("hellinger_ovo")(z)
    assert GeminiLoss("hellinger", ovo=True)(z) == expected
    assert GeminiLoss(HellingerGEMINI(ovo=True))(z) == expected
    assert GeminiLoss("hellinger")(z) == GeminiLoss("hellinger_ova")(z)
    assert GeminiLoss("mi")(z) == GeminiLoss("kl_ova")(z)


def test_the_loss_has_no_parameters_and_a_readable_form():
    loss = GeminiLoss("mi", balance=3.0)
    assert list(loss.parameters()) == []
    assert repr(loss) == "GeminiLoss('mi', balance=3)"


@pytest.mark.parametrize(
    "arguments, error, message",
    [
        (dict(objective="kl_all"), ValueError, "objective must be one of"),
        (dict(objective=3), TypeError, "objective must be a name or a GEMINI"),
        (dict(objective=MMDGEMINI), TypeError, "objective must be a name or a GEMINI"),
        (dict(objective="mi", ovo=True), ValueError, "ovo=True contradicts"),
        (dict(objective="kl_ovo", ovo=False), ValueError, "ovo=False contradicts"),
        (dict(objective=MMDGEMINI(), ovo=True), ValueError, "ovo must be None"),
        (dict(objective="kl", ovo="yes"), TypeError, "ovo must be True or False"),
        (dict(balance=-1.0), ValueError, "balance must be at least 0"),
        (dict(epsilon=0.0), ValueError, "epsilon must be at least"),
        (dict(epsilon=0.7), ValueError, "epsilon must be at most"),
        (dict(from_logits=1), TypeError, "from_logits must be True or False"),
        (dict(objective="mmd", kernel=3), TypeError, "kernel must be a name"),
        (dict(objective="mmd", kernel_params=3), TypeError, "kernel_params must be"),
    ],
)
def test_bad_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        GeminiLoss(**arguments)


@pytest.mark.parametrize(
    "loss, logits, arguments, error, message",
    [
        ("mi", torch.zeros(5), {}, ValueError, r"\(n_samples, n_clusters\).*\(5,\)"),
        ("mi", torch.zeros(0, 3), {}, ValueError, "logits must have shape"),
        ("mi", torch.zeros(5, 3, dtype=torch.int64), {}, TypeError, "torch.int64"),
        ("mi", np.zeros((5, 3)), {}, TypeError, "must be a tensor .* got float64"),
        ("mmd_ova", torch.zeros(5, 3), {}, ValueError, "needs the samples X"),
        ("mmd_ova", torch.zeros(5, 3), {"X": np.ones((4, 2))}, ValueError, "5 rows"),
        (
            "mmd_ova",
            torch.zeros(5, 3),
            {"affinity": np.ones((5, 4))},
            ValueError,
            r"affinity must have shape \(5, 5\), got \(5, 4\)",
        ),
        (
            "mmd_ova",
            torch.zeros(5, 3),
            {"affinity": np.ones((5, 5)), "X": np.ones((5, 2))},
            ValueError,
            "must not both",
        ),
        (
            "mi",
            torch.zeros(5, 3),
            {"sample_weight": np.ones(4)},
            ValueError,
            r"sample_weight must have shape \(5,\)",
        ),
        (
            "mi",
            torch.zeros(5, 3),
            {"sample_weight": -np.ones(5)},
            ValueError,
            "not negative",
        ),
        (
            "mi",
            torch.zeros(5, 3),
            {"sample_weight": np.zeros(5)},
            ValueError,
            "all zero",
        ),
    ],
)
def test_bad_calls(loss, logits, arguments, error, message):
    with pytest.raises(error, match=message):
        GeminiLoss(loss)(logits, **arguments)


def test_precomputed_without_a_matrix():
    with pytest.raises(ValueError, match="'precomputed'"):
        GeminiLoss("mmd", kernel="precomputed")(torch.zeros(5, 3), np.ones((5, 2)))


def test_unknown_kernels_and_parameters():
    X, logits = problem()
    with pytest.raises(ValueError, match="kernel must be a callable or one of"):
        GeminiLoss("mmd", kernel="rfb")(torch.tensor(logits), X)
    with pytest.raises(ValueError, match="kernel_params of the 'rbf' kernel"):
        GeminiLoss("mmd", kernel="rbf", kernel_params={"c": 1})(torch.tensor(logits), X)
