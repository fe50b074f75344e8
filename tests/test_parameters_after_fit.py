"""Parameters set after a fit count from the next one on, and may be NumPy's numbers.

Both tests run over every parameter of every estimator.
"""

import inspect
import pickle
from pathlib import Path

import numpy as np
import pytest
from clusterers import ESTIMATORS, small
from sklearn.kernel_approximation import Nystroem

from gemclus.gemini import MI
from gemclus.linear import KernelRIM, LinearMMD
from gemclus.tree import Douglas, Kauri

X = np.random.RandomState(0).normal(size=(24, 3))
X[:8] += 4.0
X[16:] -= 4.0

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:All .* features are selected"),
    pytest.mark.filterwarnings("ignore:The first predictions are"),
]

# Other valid values of each parameter than those of `small`.
OTHER_VALUES = {
    "n_clusters": [2, 7],
    "gemini": ["mi", MI(), None],
    "max_iter": [1],
    "learning_rate": [0.5],
    "solver": ["sgd", "auto"],
    "batch_size": [5],
    "verbose": [True, 1],
    "random_state": [3, None],
    "tol": [0.1],
    "n_iter_no_change": [1],
    "n_init": [2],
    "init": ["random", np.arange(24) % 3],
    "warm_start": [True],
    "n_jobs": [2],
    "kernel": ["rbf", np.linalg.multi_dot, Nystroem(n_components=3)],
    "kernel_params": [{"gamma": 0.5}],
    "ovo": [True],
    "metric": ["cityblock"],
    "metric_params": [{"p": 1}],
    "reg": [5.0],
    "base_kernel": ["rbf", "laplacian", Nystroem(n_components=3)],
    "base_kernel_params": [{"gamma": 0.5}],
    "n_hidden_dim": [3],
    "groups": [[[0, 1]]],
    "alpha": [10.0],
    "dynamic": [True],
    "M": [0.1],
    "n_cuts": [3],
    "feature_mask": [[True, False, False]],
    "temperature": [5.0],
    "max_clusters": [2, 7],
    "max_depth": [1],
    "min_samples_split": [20],
    "min_samples_leaf": [10],
    "max_features": [1],
    "max_leaves": [2],
    "min_gain": [0.5],
    "min_weight_fraction_leaf": [0.4],
    "max_bins": [2, None],
}
FEATURES = ["coef_", "intercept_", "feature_importances_", "cut_points_list_"]


def results(model):
    """All that a fitted model says of samples and features."""
    yield "predict", model.predict(X)
    for method in ("predict_proba", "transform", "apply"):
        if hasattr(model, method):
            yield method, getattr(model, method)(X)
            # Few rows go another way.
            yield f"{method} of a row", getattr(model, method)(X[:1])
    for method in ("get_selection", "get_support", "get_feature_names_out"):
        if hasattr(model, method):
            yield method, getattr(model, method)()
    for name in FEATURES:
        if hasattr(model, name):
            yield name, np.asarray(getattr(model, name))


def assert_same_results(model, expected):
    found = dict(results(model))
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)


@pytest.mark.parametrize(
    "cls, start",
    [
        *((cls, {}) for cls in ESTIMATORS),
        (KernelRIM, {"base_kernel": Nystroem(n_components=4)}),
        (KernelRIM, {"base_kernel": "rbf", "base_kernel_params": {"gamma": 0.1}}),
    ],
)
def test_parameters_set_after_a_fit_change_no_result(cls, start):
    fitted = small(cls, **start).fit(X)
    expected = dict(results(fitted))
    stored = pickle.dumps(fitted)
    for name, value in fitted.get_params(deep=False).items():
        others = [
            v for v in OTHER_VALUES[name] if v is not value and str(v) != str(value)
        ]
        assert others, f"{name} of {cls.__name__} needs other values"
        for other in others:
            model = pickle.loads(stored).set_params(**{name: other})
            assert_same_results(model, expected)
            # And so where it is stored with them.
            assert_same_results(pickle.loads(pickle.dumps(model)), expected)


def test_arguments_changed_in_place_change_no_prediction():
    params = {"gamma": 0.3}
    model = small(KernelRIM, base_kernel="rbf", base_kernel_params=params).fit(X)
    expected = model.predict_proba(X)
    params["gamma"] = 3.0
    np.testing.assert_array_equal(model.predict_proba(X), expected)
    assert model.base_kernel_params is params


@pytest.mark.parametrize(
    "cls, change",
    [(KernelRIM, {"base_kernel": "rbf"}), (Douglas, {"temperature": 2.0})],
)
def test_stored_models_keep_what_predictions_need(cls, change):
    """Also those of releases that read it from the parameters."""
    path = Path(__file__).parent / "pickles" / f"{cls.__name__}.pkl"
    stored = pickle.loads(path.read_bytes())
    model = stored["model"].set_params(**change)
    found = model.predict_proba(stored["X"])
    np.testing.assert_allclose(found, stored["probabilities"], rtol=1e-10)


@pytest.mark.parametrize(
    "cls, start, change",
    [
        (KernelRIM, {"base_kernel": "linear"}, {"base_kernel": "rbf"}),
        (Douglas, {}, {"temperature": 2.0}),
    ],
)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_a_training_that_goes_on_takes_the_parameters_of_the_time(
    cls, start, change, method
):
    model = small(cls, **start).fit(X)
    other = small(cls, **(start | change)).fit(X)
    before = [weight.copy() for weight in model._get_weights()]
    for theirs, ours in zip(other._get_weights(), before):
        theirs[...] = ours
    for each in (model, other):
        each.set_params(**change, warm_start=True, max_iter=1, solver="sgd")
        getattr(each, method)(X)
    np.testing.assert_array_equal(model.predict_proba(X), other.predict_proba(X))


# NumPy's numbers


def as_numpy(value):
    """The same number in types of NumPy; nothing for what is no number."""
    if isinstance(value, bool):
        return [np.bool_(value)]
    if isinstance(value, int):
        return [np.int64(value), np.int8(value), np.uint16(value)]
    if isinstance(value, float):
        return [np.float64(value)]
    return []


# Numbers of parameters whose defaults are none, or too ordinary to tell anything.
NUMBERS = {
    "n_clusters": 3, "max_clusters": 5, "batch_size": 10, "tol": 0.25, "n_init": 2,
    "n_jobs": 2, "random_state": 7, "max_depth": 2, "max_features": 2,
    "max_leaves": 4, "max_bins": 5, "min_samples_split": 4, "min_samples_leaf": 3,
    "min_gain": 0.125, "min_weight_fraction_leaf": 0.125, "reg": 0.5, "alpha": 0.5,
    "temperature": 0.5, "M": 2.0, "n_hidden_dim": 4, "n_cuts": 2, "max_iter": 6,
    "learning_rate": 0.125, "n_iter_no_change": 2, "verbose": False,
}  # fmt: skip


def number_cases():
    for cls in ESTIMATORS:
        for name, default in cls().get_params(deep=False).items():
            number = NUMBERS.get(name, default)
            if as_numpy(number):
                yield pytest.param(cls, name, number, id=f"{cls.__name__}-{name}")


@pytest.mark.parametrize("cls, name, number", number_cases())
def test_numbers_of_numpy_are_numbers(cls, name, number):
    model = small(cls, **{"max_iter": 4, name: number}).fit(X)
    expected = dict(results(model))
    for same in as_numpy(number):
        twin = small(cls, **{"max_iter": 4, name: same}).fit(X)
        assert_same_results(twin, expected)


@pytest.mark.parametrize("cls", [c for c in ESTIMATORS if hasattr(c(), "partial_fit")])
def test_numbers_of_numpy_all_at_once(cls):
    """With batches, restarts and steps, which each take them elsewhere."""
    plain = {"batch_size": 10, "n_init": 2, "tol": 0.125, "n_iter_no_change": 2}
    numpy = {name: as_numpy(value)[0] for name, value in plain.items()}
    taken = cls().get_params()
    trained = []
    for arguments in (plain, numpy):
        arguments = {k: v for k, v in arguments.items() if k in taken}
        trained.append(small(cls, max_iter=4, **arguments).fit(X).partial_fit(X))
    assert_same_results(trained[1], dict(results(trained[0])))


@pytest.mark.parametrize("kind", [np.int64, np.int8])
def test_numbers_of_numpy_where_data_go_by_blocks(kind):
    many = np.random.RandomState(0).normal(size=(60_000, 2))
    models = [
        LinearMMD(number, max_iter=1, solver="adam", init="random", random_state=0)
        for number in (70, kind(70))
    ]
    plain, numpy = (model.fit(many).predict_proba(many) for model in models)
    np.testing.assert_array_equal(plain, numpy)


def test_every_number_is_looked_at():
    """A new parameter that is a number by default is a case of its own accord."""
    names = {case.values[1] for case in number_cases()}
    assert set(NUMBERS) <= names | {"verbose"}
    assert "max_clusters" in inspect.signature(Kauri).parameters and "reg" in names
