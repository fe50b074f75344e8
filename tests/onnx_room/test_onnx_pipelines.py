"""Pipelines as ONNX, and classes of users."""

import json

import numpy as np
import pytest
from estimators import PUBLISHED
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import VarianceThreshold
from sklearn.impute import SimpleImputer
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    RobustScaler,
    StandardScaler,
)

from gemclus.linear import LinearMMD
from gemclus.sparse import SparseLinearMMD
from gemclus.tree import Kauri

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from onnx_runs import DTYPES, assert_same, run

from gemclus.onnx import _registry, converter, register_skl2onnx, to_onnx
from gemclus.tree._export.reader import Reader

SPREAD = np.array([1.0, 10.0, 100.0, 1e-3, 1e3])
CENTRE = np.array([0.0, 50.0, 1e4, 0.0, 1.0])

every_dtype = pytest.mark.parametrize("dtype", DTYPES)


def samples(n, seed=0):
    return np.random.RandomState(seed).normal(size=(n, 5)) * SPREAD + CENTRE


X, NEW = samples(300), samples(10_000, seed=1)
MODELS = [LinearMMD(max_iter=20, random_state=0, **PUBLISHED), Kauri(max_clusters=8)]
STEPS = [
    StandardScaler(),
    StandardScaler(with_mean=False),
    StandardScaler(with_std=False),
    MinMaxScaler(),
    MinMaxScaler(feature_range=(-1, 2), clip=True),
    RobustScaler(),
    RobustScaler(with_centering=False),
    RobustScaler(with_scaling=False),
    MaxAbsScaler(),
    PCA(3),
    PCA(4, whiten=True),
    TruncatedSVD(2),
    # scikit-learn's distances lose digits on data with an offset.
    make_pipeline(StandardScaler(), Nystroem(gamma=0.1, n_components=20)),
    make_pipeline(StandardScaler(), Nystroem("poly", degree=2, coef0=2.0)),
    VarianceThreshold(1.0),
    "passthrough",
    Pipeline([("a", MinMaxScaler()), ("b", PCA(2))]),
    FeatureUnion(
        [("a", StandardScaler()), ("b", PCA(2))], transformer_weights={"a": 2}
    ),
    FeatureUnion([("a", StandardScaler()), ("b", "drop"), ("c", "passthrough")]),
    ColumnTransformer([("a", StandardScaler(), [0, 2])], remainder="passthrough"),
    ColumnTransformer([("a", "drop", [0, 2])], remainder=RobustScaler()),
    ColumnTransformer(
        [
            ("a", StandardScaler(), slice(1, 4)),
            ("b", MinMaxScaler(), [True] + [False] * 4),
        ],
        transformer_weights={"b": 0.5},
    ),
]


@every_dtype
@pytest.mark.parametrize("model", MODELS, ids=["linear", "tree"])
@pytest.mark.parametrize("step", STEPS, ids=lambda step: str(step)[:30])
def test_steps(step, model, dtype):
    pipeline = make_pipeline(step, StandardScaler(), model).fit(X)
    assert_same(pipeline, NEW, dtype)


@every_dtype
@pytest.mark.parametrize("step", [s for s in STEPS if "Scaler" in type(s).__name__])
def test_scaled_trees_answer_alike_at_their_thresholds(step, dtype):
    """Rows on which a tree turns: the scaler must round as scikit-learn's does."""
    pipeline = make_pipeline(step, Kauri(max_clusters=200)).fit(samples(1000))
    new = samples(10_000, seed=2).astype(dtype)
    splits = list(Reader(pipeline, None, None).splits.values())
    for i, split in enumerate(splits):
        value = np.array(split.threshold).astype(dtype)
        column = split.column.source
        new[3 * i, column] = value
        new[3 * i + 1, column] = np.nextafter(value, np.array(np.inf, dtype=dtype))
        new[3 * i + 2, column] = np.nextafter(value, np.array(-np.inf, dtype=dtype))
    assert_same(pipeline, new, dtype)


@every_dtype
@pytest.mark.parametrize("model", MODELS, ids=["linear", "tree"])
@pytest.mark.parametrize(
    "imputer",
    [
        SimpleImputer(),
        SimpleImputer(strategy="median", add_indicator=True),
        SimpleImputer(strategy="constant", fill_value=-1.0),
        SimpleImputer(missing_values=-7.0),
        SimpleImputer(keep_empty_features=True),
    ],
    ids=str,
)
def test_imputation(imputer, model, dtype):
    def holed(values):
        values = values.copy()
        marker = imputer.missing_values
        values[::7, 1] = values[::5, 3] = marker
        if imputer.keep_empty_features:
            values[:, 2] = marker
        return values

    pipeline = make_pipeline(imputer, StandardScaler(), model).fit(holed(X))
    assert_same(pipeline, holed(NEW), dtype)


@every_dtype
def test_an_empty_feature_is_left_out(dtype):
    holed = X.copy()
    holed[:, 2] = np.nan
    pipeline = make_pipeline(SimpleImputer(), StandardScaler(), Kauri())
    with pytest.warns(UserWarning, match="without any observed values"):
        pipeline.fit(holed)
    outputs = run(to_onnx(pipeline, dtype=dtype), NEW.astype(dtype))
    with pytest.warns(UserWarning, match="without any observed values"):
        expected = pipeline.predict(NEW.astype(dtype))
    np.testing.assert_array_equal(outputs["label"], expected)


def test_sparse_models_select_in_pipelines():
    first = SparseLinearMMD(
        alpha=0.3, max_iter=200, learning_rate=0.01, random_state=0, **PUBLISHED
    )
    pipeline = make_pipeline(StandardScaler(), first, Kauri()).fit(X)
    assert_same(pipeline, NEW, "float32")


def test_searches_give_their_best():
    search = GridSearchCV(
        make_pipeline(
            StandardScaler(), LinearMMD(max_iter=5, random_state=0, **PUBLISHED)
        ),
        {"linearmmd__n_clusters": [2, 3]},
        cv=2,
    ).fit(X)
    outputs = run(to_onnx(search), NEW.astype(np.float32))
    np.testing.assert_array_equal(outputs["label"], search.predict(NEW.astype("f4")))


# Text


@pytest.fixture
def frame():
    pd = pytest.importorskip("pandas")
    rng = np.random.RandomState(0)
    n = 400
    return pd.DataFrame(
        {
            "age": rng.normal(40, 10, n),
            "plan": rng.choice(["mobile", "fixed", "none"], n),
            "kids": rng.choice([0, 1, 2, 7], n),
            "town": rng.choice(list("abcdefgh"), n, p=[0.3, 0.3, 0.2] + 5 * [0.04]),
        }
    )


def feeds_of(frame, dtype):
    return {
        name: frame[[name]].to_numpy(dtype if column.dtype.kind in "if" else object)
        for name, column in frame.items()
    }


ENCODERS = {
    "plain": {},
    "first": {"drop": "first"},
    "binary": {"drop": "if_binary"},
    "given": {"drop": ["none"]},
    "ignoring": {"handle_unknown": "ignore"},
    "frequent": {"min_frequency": 0.3, "handle_unknown": "infrequent_if_exist"},
    "few": {"max_categories": 2, "drop": "first"},
}


@every_dtype
@pytest.mark.parametrize("model", MODELS, ids=["linear", "tree"])
@pytest.mark.parametrize("options", ENCODERS.values(), ids=ENCODERS)
def test_encoders(options, model, dtype, frame):
    encode = make_column_transformer(
        (StandardScaler(), ["age"]),
        (OneHotEncoder(sparse_output=False), ["kids"]),
        (OneHotEncoder(**options), ["plan"]),
        (OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=0.1), [3]),
    )
    pipeline = make_pipeline(encode, model).fit(frame)
    frame.loc[::5, "town"] = "elsewhere"
    if options.get("handle_unknown"):
        frame.loc[::6, "plan"] = "new"
    onnx_model = assert_same(pipeline, frame, dtype, feeds_of(frame, dtype))
    assert [entry.name for entry in onnx_model.graph.input] == list(frame)
    metadata = {entry.key: entry.value for entry in onnx_model.metadata_props}
    assert json.loads(metadata["feature_names"]) == list(frame)


@every_dtype
def test_numbers_as_categories(dtype):
    rng = np.random.RandomState(0)
    values = rng.choice([0.1, 3.0, np.nan], size=(200, 2))
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    pipeline = make_pipeline(encoder, Kauri())
    pipeline.fit(values)
    values[::4, 0] = 99.0
    assert_same(pipeline, values, dtype)


def test_names_of_inputs_must_be_identifiers(frame):
    pipeline = make_pipeline(
        make_column_transformer((OneHotEncoder(), ["plan"]), remainder="drop"), Kauri()
    )
    with pytest.raises(ValueError, match="the feature name 'the age' .* identifiers"):
        to_onnx(pipeline.fit(frame.rename(columns={"age": "the age"})))
    with pytest.raises(ValueError, match="the feature name 'label' is that of an outp"):
        to_onnx(pipeline.fit(frame.rename(columns={"age": "label"})))


@every_dtype
def test_names_of_inputs_may_be_those_of_tensors(dtype, frame):
    """Those that graphs make up for what lies between."""
    encode = make_column_transformer(
        (StandardScaler(), [0, 2]), (OneHotEncoder(), [1, 3])
    )
    pipeline = make_pipeline(encode, MODELS[0])
    onnx_model = to_onnx(pipeline.fit(frame), dtype=dtype)
    names = [tensor.name for tensor in onnx_model.graph.initializer]
    names += [node.output[0] for node in onnx_model.graph.node]
    for name in names:
        if name not in ("label", "probabilities"):
            renamed = frame.rename(columns={"age": name})
            pipeline.fit(renamed)
            assert_same(pipeline, renamed, dtype, feeds_of(renamed, dtype))


def test_text_that_cannot_be_written_is_refused(frame):
    imputed = make_pipeline(
        SimpleImputer(strategy="most_frequent"),
        OneHotEncoder(sparse_output=False),
        Kauri(),
    )
    with pytest.raises(TypeError, match="SimpleImputer of text"):
        to_onnx(imputed.fit(frame[["plan"]]))
    frame.loc[0, "plan"] = None
    encoded = make_pipeline(OneHotEncoder(sparse_output=False), Kauri())
    encoded.fit(frame[["plan"]])
    with pytest.raises(TypeError, match="has the category .* beside text"):
        to_onnx(encoded)


# Refusals


@pytest.mark.parametrize(
    "steps, error, match",
    [
        (
            [FunctionTransformer(np.log1p), Kauri()],
            TypeError,
            "FunctionTransformer can",
        ),
        ([StandardScaler(), PCA(2)], TypeError, "must be a model that labels.*PCA"),
        ([StandardScaler(), "passthrough"], TypeError, "labels samples, got 'passthr"),
    ],
)
def test_pipelines_that_cannot_be_written_are_refused(steps, error, match):
    pipeline = make_pipeline(*steps)
    pipeline.fit(np.abs(X))
    with pytest.raises(error, match=match):
        to_onnx(pipeline)


def test_unfitted_pipelines_are_refused():
    with pytest.raises(NotFittedError):
        to_onnx(make_pipeline(StandardScaler(), Kauri()))
    with pytest.raises(NotFittedError, match="StandardScaler"):
        to_onnx(make_pipeline(StandardScaler(), Kauri().fit(X / X.std(axis=0))))
    with pytest.raises(NotFittedError, match="GridSearchCV"):
        to_onnx(GridSearchCV(Kauri(), {"max_clusters": [2]}))
    with pytest.raises(NotFittedError, match="Kauri"):
        to_onnx(make_pipeline(StandardScaler().fit(X), Kauri()))
    with pytest.raises(NotFittedError, match="MinMaxScaler"):
        fitted = Kauri().fit(X / X.std(axis=0))
        to_onnx(make_pipeline(StandardScaler().fit(X), MinMaxScaler(), fitted))


def test_an_empty_pipeline_is_refused():
    with pytest.raises(TypeError, match="labels samples, got 'passthrough'"):
        to_onnx(Pipeline([("nothing", "passthrough")]))


@pytest.mark.parametrize("model", MODELS, ids=["linear", "tree"])
@pytest.mark.parametrize(
    "steps, match",
    [
        ([StandardScaler()], "was fitted to 5 features, and gets 2 from"),
        ([StandardScaler(), VarianceThreshold()], "was fitted to 5 features, and gets"),
    ],
)
def test_steps_that_do_not_fit_together_are_refused(steps, match, model):
    """Each fitted by itself."""
    scaled = StandardScaler().fit_transform(X)
    steps = [step.fit(scaled[:, :2]) for step in steps]
    pipeline = make_pipeline(*steps, clone(model).fit(scaled))
    with pytest.raises(ValueError, match=f"{type(model).__name__} {match}"):
        to_onnx(pipeline)
    pipeline = make_pipeline(StandardScaler().fit(scaled), *pipeline)
    with pytest.raises(ValueError, match="StandardScaler was fitted to 2 features"):
        to_onnx(pipeline)


# Classes of users


class Logarithm(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X):
        return np.log(X)


@pytest.fixture
def registry(monkeypatch):
    """Registrations that end with the test."""
    monkeypatch.setattr(_registry, "_CONVERTERS", dict(_registry._CONVERTERS))


@every_dtype
def test_classes_of_users(dtype, registry):
    pipeline = make_pipeline(Logarithm(), Kauri()).fit(np.abs(X))
    with pytest.raises(TypeError, match="Logarithm cannot be written.*converter"):
        to_onnx(pipeline)

    @converter(Logarithm)
    def write(graph, step, X):
        return graph.node("Log", graph.cast(X, np.float64))

    new = np.abs(NEW).astype(dtype)
    outputs = run(to_onnx(pipeline, dtype=dtype), new)
    expected = pipeline[-1].predict(np.log(new.astype(np.float64)))
    np.testing.assert_array_equal(outputs["label"], expected)


@every_dtype
@pytest.mark.parametrize("model", [LogisticRegression(), GaussianMixture(3)], ids=str)
def test_models_of_users(model, dtype, registry):
    """They need none of what the models of the package have."""

    @converter(LogisticRegression, gives="probabilities")
    def write(graph, model, X):
        logits = graph.affine(X, model.coef_.T, model.intercept_, "LogisticRegression")
        return graph.node("Softmax", logits, axis=-1)

    @converter(GaussianMixture, gives="probabilities")
    def write_equal(graph, model, X):
        same = np.zeros((model.n_features_in_, model.n_components))
        logits = graph.affine(X, same, np.zeros(model.n_components), "the mixture")
        return graph.node("Softmax", logits, axis=-1)

    pipeline = make_pipeline(StandardScaler(), model).fit(X, np.arange(len(X)) % 3)
    onnx_model = to_onnx(pipeline, dtype=dtype)
    keys = {entry.key for entry in onnx_model.metadata_props}
    assert keys >= {"gemclus_version", "model", "feature_names"}
    assert "objective" not in keys
    outputs = run(onnx_model, NEW.astype(dtype))
    assert outputs["probabilities"].shape == (len(NEW), 3)
    if isinstance(model, LogisticRegression):
        expected = pipeline.predict_proba(NEW.astype(dtype))
        np.testing.assert_allclose(outputs["probabilities"], expected, atol=1e-5)


def test_bad_registrations_are_refused(registry):
    with pytest.raises(TypeError, match="cls must be a class"):
        converter(Logarithm())
    with pytest.raises(ValueError, match="gives must be one of"):
        converter(Logarithm, gives="all")
    with pytest.raises(TypeError, match="must be a function"):
        converter(Logarithm)(3)


@every_dtype
@pytest.mark.parametrize("model", MODELS, ids=["linear", "tree"])
def test_skl2onnx(model, dtype):
    skl2onnx = pytest.importorskip("skl2onnx")
    register_skl2onnx()
    step = KBinsDiscretizer(
        4, encode="ordinal", quantile_method="averaged_inverted_cdf"
    )
    if dtype == "float64":
        step = MaxAbsScaler()
    pipeline = make_pipeline(step, model).fit(X / SPREAD)
    new = (NEW / SPREAD).astype(dtype)
    if model is MODELS[0]:
        pipeline.set_params(linearmmd__n_clusters=7)
    onnx_model = skl2onnx.to_onnx(pipeline, new[:1], target_opset=18)
    np.testing.assert_array_equal(run(onnx_model, new)["label"], pipeline.predict(new))


def test_without_skl2onnx(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "skl2onnx", None)
    with pytest.raises(ImportError, match="pip install skl2onnx"):
        register_skl2onnx()
