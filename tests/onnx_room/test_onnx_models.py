"""Models as ONNX: each answers in onnxruntime as it does here."""

import json

import numpy as np
import pytest
from estimators import GRADIENT_MODELS, PUBLISHED, make_gradient_model
from sklearn.datasets import load_wine
from sklearn.exceptions import NotFittedError
from sklearn.preprocessing import scale

import gemclus
from gemclus.linear import KernelRIM, LinearMMD, LinearModel
from gemclus.mlp import MLPMMD
from gemclus.nonparametric import CategoricalModel
from gemclus.sparse import SparseLinearMMD
from gemclus.tree import Douglas, Kauri

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

import onnx
from onnx_runs import DTYPES, assert_same, run

from gemclus.onnx import to_onnx
from gemclus.onnx._trees import round_down

X = scale(load_wine().data)
KERNELS = ["linear", "rbf", "poly", "polynomial", "sigmoid", "cosine", "laplacian"]
POSITIVE_KERNELS = ["chi2", "additive_chi2"]

every_dtype = pytest.mark.parametrize("dtype", DTYPES)


def rows(n=10_000, seed=0):
    return np.random.RandomState(seed).normal(size=(n, X.shape[1]))


@every_dtype
@pytest.mark.parametrize(
    "cls", [cls for cls in GRADIENT_MODELS if not issubclass(cls, CategoricalModel)]
)
def test_models_answer_alike(cls, dtype):
    model = make_gradient_model(cls, max_iter=20, random_state=0)
    if cls is Douglas:
        model.set_params(feature_mask=np.arange(X.shape[1]) < 5)
    assert_same(model.fit(X), rows(), dtype)


@every_dtype
@pytest.mark.parametrize("cls", [LinearMMD, MLPMMD, KernelRIM])
def test_models_of_float32_data(cls, dtype):
    model = cls(max_iter=20, random_state=0, **PUBLISHED).fit(X.astype(np.float32))
    outputs = run(to_onnx(model, dtype=dtype), rows().astype(dtype))
    expected = model.predict_proba(rows().astype(dtype))
    np.testing.assert_allclose(outputs["probabilities"], expected, rtol=0, atol=1e-5)


@every_dtype
@pytest.mark.parametrize("kernel", KERNELS + POSITIVE_KERNELS)
def test_kernels(kernel, dtype):
    samples, new = X, rows(2000)
    if kernel in POSITIVE_KERNELS:
        samples, new = np.abs(X), np.abs(new)
        samples[0] = new[0] = 0.0
    if kernel == "cosine":
        new[0] = 0.0
    model = KernelRIM(base_kernel=kernel, max_iter=20, random_state=0, **PUBLISHED).fit(
        samples
    )
    assert_same(model, new, dtype)


@every_dtype
def test_a_kernel_with_arguments_and_an_offset(dtype):
    samples = X + 1e3
    model = KernelRIM(
        base_kernel="rbf", base_kernel_params={"gamma": 0.3}, max_iter=9, **PUBLISHED
    )
    assert_same(model.fit(samples), samples, dtype)
    model = KernelRIM(
        base_kernel="poly",
        base_kernel_params={"degree": 2, "coef0": 0.5},
        max_iter=9,
        **PUBLISHED,
    )
    assert_same(model.fit(X), rows(500), dtype)


@every_dtype
@pytest.mark.parametrize("n_features, n_cuts", [(1, 1), (1, 3), (2, 2), (6, 2)])
def test_soft_trees(n_features, n_cuts, dtype):
    mask = np.arange(X.shape[1]) % 2 == 0
    mask &= np.cumsum(mask) <= n_features
    model = Douglas(
        n_cuts=n_cuts, feature_mask=mask, max_iter=5, random_state=0, **PUBLISHED
    )
    assert_same(model.fit(X), rows(2000), dtype)


# Trees


def at_thresholds(tree, dtype):
    """Rows with the threshold of each split, and its neighbours in a type."""
    inner = np.flatnonzero(tree.children_left >= 0)
    thresholds = tree.thresholds[inner].astype(dtype)
    base = rows(3 * len(inner), seed=1).astype(dtype)
    infinity = np.array(np.inf, dtype=dtype)
    for step, values in enumerate(
        (
            thresholds,
            np.nextafter(thresholds, infinity),
            np.nextafter(thresholds, -infinity),
        )
    ):
        base[step::3][np.arange(len(inner)), tree.features[inner]] = values
    return base


@every_dtype
@pytest.mark.parametrize("max_leaves", [1, 2, 7, 150])
def test_trees_answer_alike(max_leaves, dtype):
    model = Kauri(max_clusters=150, max_leaves=max_leaves).fit(X)
    assert_same(model, rows(), dtype)


@every_dtype
def test_trees_answer_alike_at_their_thresholds(dtype):
    samples = np.random.RandomState(0).normal(size=(2000, X.shape[1]))
    model = Kauri(max_clusters=2000, max_leaves=1500).fit(samples)
    assert_same(model, at_thresholds(model.tree_, dtype), dtype)


@every_dtype
@pytest.mark.parametrize("missing_at_fit", [True, False])
def test_missing_values_go_the_same_way(missing_at_fit, dtype):
    rng = np.random.RandomState(0)
    samples, new = rows(500), rows(5000, seed=1)
    new[rng.uniform(size=new.shape) < 0.3] = np.nan
    if missing_at_fit:
        samples[rng.uniform(size=samples.shape) < 0.2] = np.nan
    assert_same(Kauri(max_clusters=60).fit(samples), new, dtype)


@every_dtype
def test_splits_off_missing_values(dtype):
    """Every number goes left of an infinite threshold."""
    labels = np.repeat([0, 1, 2], 20)
    numbers = labels + np.random.RandomState(0).uniform(-0.3, 0.3, 60)
    samples = np.where(labels == 2, np.nan, numbers)[:, None]
    tree = Kauri(max_clusters=3, kernel="labels").fit(samples, labels)
    assert np.inf in tree.tree_.thresholds
    assert_same(tree, samples, dtype)


def test_rounding_down_keeps_every_answer_on_float32():
    thresholds = np.random.RandomState(0).standard_normal(100_000)
    thresholds = np.concatenate([thresholds, [1e300, -1e300, 1e-320, 0.0, -0.0, 1.0]])
    rounded = round_down(thresholds)
    with np.errstate(over="ignore"):
        nearest = thresholds.astype(np.float32)
    for values in (nearest, np.nextafter(nearest, np.float32(np.inf)), -nearest):
        expected = values.astype(np.float64) <= thresholds
        np.testing.assert_array_equal(values <= rounded, expected)
    # A plain cast is above a good part of the thresholds.
    assert 0.4 < (nearest.astype(np.float64) > thresholds).mean() < 0.6


# What is in the file


@every_dtype
def test_what_a_graph_says_of_itself(dtype):
    pd = pytest.importorskip("pandas")
    names = [f"f {j}" for j in range(X.shape[1])]
    model = LinearMMD(max_iter=5, random_state=0, **PUBLISHED).fit(
        pd.DataFrame(X, columns=names)
    )
    onnx_model = to_onnx(model, dtype=dtype)
    metadata = {entry.key: entry.value for entry in onnx_model.metadata_props}
    assert metadata["gemclus_version"] == gemclus.__version__
    assert metadata["model"] == "LinearMMD"
    assert metadata["objective"] == repr(model.get_gemini())
    assert metadata["n_clusters"] == "3"
    assert json.loads(metadata["feature_names"]) == names
    assert onnx_model.producer_name == "gemclus"
    assert [output.name for output in onnx_model.graph.output] == [
        "label",
        "probabilities",
    ]
    tree = to_onnx(Kauri().fit(X), dtype=dtype)
    metadata = {entry.key: entry.value for entry in tree.metadata_props}
    assert metadata["objective"] == "kernel k-means, kernel='linear'"


@every_dtype
@pytest.mark.parametrize("opset", range(16, 24))
def test_opsets(opset, dtype):
    if opset > onnx.defs.onnx_opset_version():
        pytest.skip("onnx does not know this one yet")
    for model in (
        KernelRIM(base_kernel="rbf", max_iter=5, **PUBLISHED),
        Douglas(max_iter=2, feature_mask=np.arange(13) < 3, **PUBLISHED),
        Kauri(),
    ):
        onnx_model = assert_same(model.fit(X), rows(100), dtype, opset=opset)
        assert onnx_model.opset_import[0].version == opset


@every_dtype
def test_graphs_are_those_of_the_fit(dtype):
    """Parameters may be set by now for a fit that is to come."""
    later = {
        KernelRIM: {"n_clusters": 7, "base_kernel": "rbf"},
        MLPMMD: {"n_clusters": 7, "n_hidden_dim": 3},
        Douglas: {"n_clusters": 7, "n_cuts": 3, "temperature": 9.0},
        Kauri: {"max_clusters": 7, "max_leaves": 2},
    }
    for cls, parameters in later.items():
        model = Kauri() if cls is Kauri else cls(max_iter=5, **PUBLISHED)
        model.fit(X[:, :4]).set_params(**parameters)
        graph = assert_same(model, rows(100)[:, :4], dtype).graph
        if cls is not Kauri:
            assert graph.output[1].type.tensor_type.shape.dim[1].dim_value == 3


def test_arrays_as_dtype():
    model = LinearMMD(max_iter=5, **PUBLISHED).fit(X)
    assert to_onnx(model, dtype=np.float64) == to_onnx(model, dtype="float64")


# Refusals


def test_unfitted_models_are_refused():
    for model in (LinearModel(**PUBLISHED), Kauri(), Douglas(**PUBLISHED)):
        with pytest.raises(NotFittedError):
            to_onnx(model)


@pytest.mark.parametrize(
    "arguments, error, match",
    [
        ({"opset": 15}, ValueError, "opset must be from 16 .* got 15"),
        ({"opset": 999}, ValueError, "opset must be from 16"),
        ({"opset": "18"}, TypeError, "opset must be an int"),
        ({"dtype": "float16"}, ValueError, "dtype must be 'float32' or 'float64'"),
        ({"dtype": "number"}, ValueError, "dtype must be 'float32' or 'float64'"),
        ({"dtype": 3.5}, TypeError, "dtype must be 'float32' or 'float64'"),
    ],
)
def test_bad_arguments_are_refused(arguments, error, match):
    with pytest.raises(error, match=match):
        to_onnx(Kauri().fit(X), **arguments)


@pytest.mark.parametrize(
    "model, match",
    [
        (CategoricalModel(max_iter=2, **PUBLISHED), "cannot label new ones"),
        (
            KernelRIM(base_kernel=lambda X, Y: X @ Y.T, max_iter=2, **PUBLISHED),
            "callable",
        ),
    ],
)
def test_models_without_a_graph_are_refused(model, match):
    with pytest.raises(TypeError, match=match):
        to_onnx(model.fit(X))


def test_a_large_soft_tree_is_refused(monkeypatch):
    from gemclus.onnx import _models

    model = Douglas(feature_mask=np.arange(13) < 4, max_iter=1, **PUBLISHED).fit(X)
    monkeypatch.setattr(_models, "_MOST_SCORES", 47)
    with pytest.raises(TypeError, match="48 leaf scores.*feature_mask"):
        to_onnx(model)


def test_weights_that_are_not_finite_are_refused():
    model = LinearMMD(max_iter=2, **PUBLISHED).fit(X)
    model.W_[0, 0] = np.nan
    with pytest.raises(ValueError, match="W of LinearMMD must be finite"):
        to_onnx(model)
    model.W_[0, 0] = 1e300
    with pytest.raises(ValueError, match="W of LinearMMD holds 1e\\+300, too large"):
        to_onnx(model)
    to_onnx(model, dtype="float64")
    tree = Kauri().fit(X)
    tree.tree_.thresholds[0] = np.nan
    with pytest.raises(ValueError, match="the tree is damaged: a threshold is NaN"):
        to_onnx(tree)


def test_damaged_trees_are_refused():
    tree = Kauri().fit(X)
    tree.tree_.features[0] = X.shape[1]
    with pytest.raises(ValueError, match="the tree is damaged: it splits feature 13"):
        to_onnx(tree)


def test_a_graph_too_large_for_a_file_is_refused(monkeypatch):
    from gemclus.onnx import _graph

    monkeypatch.setattr(_graph, "_MOST_BYTES", 100)
    with pytest.raises(ValueError, match="W of LinearMMD: the constants"):
        to_onnx(LinearMMD(max_iter=2, **PUBLISHED).fit(X))


def test_derived_models():
    class Renamed(LinearMMD):
        pass

    class Shifted(LinearMMD):
        def _infer(self, X, retain=True):
            return super()._infer(X + 1.0, retain)

    assert_same(
        Renamed(max_iter=5, random_state=0, **PUBLISHED).fit(X), rows(100), "float64"
    )
    with pytest.raises(TypeError, match="Shifted has a _infer of its own.*converter"):
        to_onnx(Shifted(max_iter=2, **PUBLISHED).fit(X))


@pytest.mark.parametrize("thing", [3, "model", LinearMMD])
def test_things_that_are_no_models_are_refused(thing):
    with pytest.raises(TypeError):
        to_onnx(thing)


def test_without_onnx(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r'pip install "gemclus\[onnx\]"'):
        to_onnx(Kauri().fit(X))


def test_sparse_models_keep_their_selection():
    model = SparseLinearMMD(
        alpha=1.0, ovo=True, random_state=0, max_iter=50, **PUBLISHED
    )
    model.path(X, max_patience=2)
    assert 0 < len(model.get_selection()) < X.shape[1]
    assert_same(model, rows(), "float64")


def test_a_transform_of_its_own_does_not_matter_to_the_last_step():
    class Renamed(LinearMMD):
        def transform(self, X):
            return X

    model = Renamed(3, random_state=0, max_iter=5, **PUBLISHED).fit(X)
    assert_same(model, X, "float64")
