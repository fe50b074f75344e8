"""Every tool that takes an estimator, with every model: a table, run.

Tools that are not installed are skipped, and their names printed.
"""

import warnings

import numpy as np
import pytest
import sklearn
from clusterers import small
from estimators import GRADIENT_MODELS
from sklearn.compose import make_column_transformer
from sklearn.datasets import make_blobs
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.feature_selection import RFE, SelectFromModel
from sklearn.inspection import DecisionBoundaryDisplay, permutation_importance
from sklearn.metrics import adjusted_rand_score
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    RandomizedSearchCV,
    cross_val_score,
)
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from gemclus import add_mlcl_constraint
from gemclus.linear import RIM, KernelRIM
from gemclus.nonparametric import CategoricalModel
from gemclus.sparse import SparseMLPModel
from gemclus.tree import Kauri

X, Y = make_blobs(90, 4, centers=3, cluster_std=0.4, random_state=0)
X = (X - X.mean(axis=0)) / X.std(axis=0)
# Models that label other samples than those of their fit.
MODELS = [cls for cls in GRADIENT_MODELS if not issubclass(cls, CategoricalModel)]
MODELS.append(Kauri)

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    # Of the tools: what they use of pandas, dask or themselves is their own affair.
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
every_model = pytest.mark.parametrize("cls", MODELS, ids=lambda cls: cls.__name__)


def models_with(attribute):
    """The models that have an attribute once they are fitted."""
    having = [cls for cls, model in FITTED.items() if hasattr(model, attribute)]
    return pytest.mark.parametrize("cls", having, ids=lambda cls: cls.__name__)


def fitted_models():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {cls: small(cls).fit(X) for cls in MODELS}


FITTED = fitted_models()


def count_of(cls):
    """The parameter that says how many clusters."""
    return "max_clusters" if cls is Kauri else "n_clusters"


# Frames


def frames(kind):
    """The data as a frame, and one with a column of categories."""
    if kind == "polars":
        pl = pytest.importorskip("polars", reason="polars")
        frame = pl.DataFrame(X, schema=list("abcd"))
        return frame, frame.with_columns(pl.Series("e", np.array(["u", "v", "w"])[Y]))
    pd = pytest.importorskip("pandas", reason="pandas")
    frame = pd.DataFrame(X, columns=list("abcd"))
    if kind == "nullable":
        frame = frame.convert_dtypes().astype("Float64")
    elif kind == "arrow":
        pytest.importorskip("pyarrow", reason="pyarrow")
        frame = frame.astype("double[pyarrow]")
    category = pd.Series(np.array(["u", "v", "w"])[Y]).astype("category")
    return frame, frame.assign(e=category)


@every_model
@pytest.mark.parametrize("kind", ["plain", "nullable", "arrow", "polars"])
def test_frames(cls, kind):
    frame, with_categories = frames(kind)
    model = small(cls).fit(frame)
    assert list(model.feature_names_in_) == list("abcd")
    assert adjusted_rand_score(Y, model.predict(frame)) == 1.0
    encode = make_column_transformer(
        (StandardScaler(), list("abcd")), (OneHotEncoder(sparse_output=False), ["e"])
    )
    pipeline = make_pipeline(encode, small(cls)).fit(with_categories)
    assert adjusted_rand_score(Y, pipeline.predict(with_categories)) == 1.0


# Searches


def searches():
    from sklearn.experimental import enable_halving_search_cv  # noqa: F401
    from sklearn.model_selection import HalvingGridSearchCV

    return {
        "grid": lambda model, grid: GridSearchCV(model, grid, cv=2),
        "random": lambda model, grid: RandomizedSearchCV(model, grid, n_iter=2, cv=2),
        "halving": lambda model, grid: HalvingGridSearchCV(model, grid, cv=2, factor=2),
    }


@every_model
@pytest.mark.parametrize("kind", ["grid", "random", "halving"])
def test_searches(cls, kind):
    search = searches()[kind](small(cls), {count_of(cls): [2, 3]}).fit(X)
    # More clusters score higher here, and the refit is that of a model by itself.
    alone = small(cls, **search.best_params_).fit(X)
    np.testing.assert_array_equal(search.predict(X), alone.predict(X))
    if kind != "halving":
        counts = [p[count_of(cls)] for p in search.cv_results_["params"]]
        for count, score in zip(
            counts, search.cv_results_["mean_test_score"], strict=True
        ):
            model = small(cls, **{count_of(cls): count})
            expected = cross_val_score(model, X, cv=2).mean()
            assert score == pytest.approx(expected, rel=1e-9)


@every_model
def test_optuna(cls):
    optuna = pytest.importorskip("optuna", reason="optuna")
    optuna.logging.set_verbosity(optuna.logging.ERROR)

    def objective(trial):
        model = small(cls, **{count_of(cls): trial.suggest_int("k", 2, 3)})
        return adjusted_rand_score(Y, model.fit_predict(X))

    sampler = optuna.samplers.RandomSampler(seed=0)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    study.optimize(objective, n_trials=4)
    assert study.best_params == {"k": 3}


# Metadata routing


def weighed(cls):
    """A model that asks for weights in `fit` and `score`."""
    model = small(cls).set_fit_request(sample_weight=True)
    return model.set_score_request(sample_weight=True)


@every_model
def test_weights_are_routed(cls):
    weights = 1.0 + np.arange(90.0) % 4
    with sklearn.config_context(enable_metadata_routing=True):
        expected = small(cls).fit(X, sample_weight=weights)
        scaler = StandardScaler(with_mean=False, with_std=False)
        scaler.set_fit_request(sample_weight=False)
        pipeline = make_pipeline(scaler, weighed(cls)).fit(X, sample_weight=weights)
        np.testing.assert_array_equal(pipeline.predict(X), expected.labels_)
        by_weight = pipeline.score(X, sample_weight=weights)
        assert by_weight == pytest.approx(expected.score(X, sample_weight=weights))

        # Folds get the weights of their rows, in `fit` and in `score`.
        cv = KFold(3, shuffle=True, random_state=0)
        scores = cross_val_score(
            weighed(cls), X, cv=cv, params={"sample_weight": weights}
        )
        for score, (train, test) in zip(scores, cv.split(X)):
            model = small(cls).fit(X[train], sample_weight=weights[train])
            assert score == pytest.approx(
                model.score(X[test], sample_weight=weights[test])
            )

        search = GridSearchCV(
            pipeline, {f"{cls.__name__.lower()}__{count_of(cls)}": [3]}
        )
        search.fit(X, sample_weight=weights)
        np.testing.assert_array_equal(search.predict(X), expected.predict(X))
        assert search.score(X, sample_weight=weights) == pytest.approx(by_weight)


@every_model
def test_weights_without_a_request_are_refused(cls):
    with sklearn.config_context(enable_metadata_routing=True):
        with pytest.raises(UnsetMetadataPassedError, match="sample_weight"):
            cross_val_score(small(cls), X, params={"sample_weight": np.ones(90)})


# Importance and selection


@every_model
def test_permutation_importance(cls):
    model = small(cls).fit(X)
    found = permutation_importance(model, X, None, n_repeats=2, random_state=0)
    assert (found.importances_mean > 0).any()


@models_with("feature_importances_")
def test_importances(cls):
    model = small(cls).fit(X)
    assert model.feature_importances_.shape == (4,)
    selector = SelectFromModel(small(cls), threshold="mean").fit(X)
    assert 0 < selector.get_support().sum() < 4


@models_with("coef_")
@pytest.mark.parametrize("selector", [SelectFromModel, RFE])
def test_selectors(cls, selector):
    arguments = {"n_features_to_select": 2} if selector is RFE else {"max_features": 2}
    arguments |= {"threshold": -np.inf} if selector is SelectFromModel else {}
    noisy = np.hstack([X[:, :2], 1e-3 * np.random.RandomState(0).normal(size=(90, 2))])
    fitted = selector(small(cls), **arguments).fit(noisy, Y)
    assert fitted.get_support().tolist() == [True, True, False, False]


def test_coefficients_are_where_they_mean_something():
    names = {cls.__name__ for cls, model in FITTED.items() if hasattr(model, "coef_")}
    assert names == {
        "LinearModel",
        "LinearMMD",
        "LinearWasserstein",
        "RIM",
        "SparseLinearModel",
        "SparseLinearMMD",
        "SparseLinearMI",
    }


# Features


@models_with("transform")
def test_feature_unions(cls):
    union = FeatureUnion([("model", small(cls)), ("same", "passthrough")]).fit(X)
    features = union.transform(X)
    np.testing.assert_array_equal(features[:, -4:], X)
    assert len(union.get_feature_names_out()) == features.shape[1]


@models_with("transform")
@pytest.mark.parametrize("kind", ["pandas", "polars"])
def test_set_output(cls, kind):
    pytest.importorskip(kind, reason=kind)
    model = small(cls).set_output(transform=kind).fit(X)
    frame = model.transform(X)
    assert list(frame.columns) == list(model.get_feature_names_out())
    assert type(frame).__module__.startswith(kind)


# Storage


@every_model
def test_skops(cls):
    io = pytest.importorskip("skops.io", reason="skops")
    model = small(cls).fit(X)
    stored = io.dumps(model)
    unknown = io.get_untrusted_types(data=stored)
    read = io.loads(stored, trusted=unknown)
    np.testing.assert_array_equal(read.predict(X), model.predict(X))
    assert unknown == [f"{cls.__module__}.{cls.__name__}"]
    if hasattr(model, "optimiser_"):
        assert type(read.optimiser_) is type(model.optimiser_)


def test_skops_after_a_path_and_with_constraints():
    """Other classes that a model may keep."""
    io = pytest.importorskip("skops.io", reason="skops")
    model = small(SparseMLPModel)
    model.path(X, alpha_multiplier=2.0)
    constrained = add_mlcl_constraint(small(RIM), [[0, 1]], X=X).fit(X)
    for fitted in (model, constrained):
        stored = io.dumps(fitted)
        unknown = io.get_untrusted_types(data=stored)
        cls = type(fitted)
        assert unknown == [f"{cls.__module__}.{cls.__name__}"]
        read = io.loads(stored, trusted=unknown)
        np.testing.assert_array_equal(read.predict(X), fitted.predict(X))
        assert repr(read) == repr(fitted)
        if fitted is model:
            assert type(read.path_) is type(model.path_)
            np.testing.assert_array_equal(
                read.path_.feature_norms, model.path_.feature_norms
            )
            np.testing.assert_array_equal(read.path_[0][0], model.path_[0][0])
            assert read.path_[1:] == model.path_[1:]


@every_model
def test_joblib_memory_maps(cls, tmp_path):
    import joblib

    model = small(cls).fit(X)
    joblib.dump(model, tmp_path / "model")
    read = joblib.load(tmp_path / "model", mmap_mode="r")
    np.testing.assert_array_equal(read.predict(X), model.predict(X))


@pytest.fixture(scope="module")
def mlflow_run(tmp_path_factory):
    """A run of MLflow in a store that ends with the tests."""
    mlflow = pytest.importorskip("mlflow", reason="mlflow")
    # Its smaller package has no stores of its own.
    pytest.importorskip("sqlalchemy", reason="mlflow (the whole package)")
    pytest.importorskip("alembic", reason="mlflow (the whole package)")
    folder = tmp_path_factory.mktemp("mlflow")
    before = mlflow.get_tracking_uri()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlflow.set_tracking_uri(f"sqlite:///{folder}/runs.db")
        experiment = mlflow.create_experiment("models", folder.as_uri())
        with mlflow.start_run(experiment_id=experiment):
            yield
    mlflow.set_tracking_uri(before)


@every_model
@pytest.mark.parametrize("form", ["pickle", "skops"])
@pytest.mark.filterwarnings("ignore")
def test_mlflow(cls, form, mlflow_run):
    import mlflow

    model = small(cls).fit(X)
    trusted = {"skops_trusted_types": [f"{cls.__module__}.{cls.__name__}"]}
    logged = mlflow.sklearn.log_model(
        model,
        name=f"{cls.__name__}-{form}",
        serialization_format=form,
        pip_requirements=["gemclus"],
        **(trusted if form == "skops" else {}),
    )
    read = mlflow.sklearn.load_model(logged.model_uri)
    np.testing.assert_array_equal(read.predict(X), model.predict(X))
    function = mlflow.pyfunc.load_model(logged.model_uri)
    np.testing.assert_array_equal(function.predict(X), model.predict(X))


@every_model
@pytest.mark.filterwarnings("ignore")
def test_mlflow_files(cls, tmp_path):
    """Without a store: what the smaller package of MLflow does."""
    mlflow = pytest.importorskip("mlflow.sklearn", reason="mlflow")
    model = small(cls).fit(X)
    mlflow.save_model(
        model,
        tmp_path / "model",
        serialization_format="pickle",
        pip_requirements=["gemclus"],
    )
    read = mlflow.load_model(str(tmp_path / "model"))
    np.testing.assert_array_equal(read.predict(X), model.predict(X))


# Neighbours


# It asks for a parameter named `n_clusters`, which Kauri does not have.
@pytest.mark.parametrize("cls", [cls for cls in MODELS if cls is not Kauri])
@pytest.mark.filterwarnings("ignore")
def test_imblearn(cls):
    sampling = pytest.importorskip("imblearn.under_sampling", reason="imblearn")
    target = np.repeat([0, 1], [60, 30])
    sampler = sampling.ClusterCentroids(estimator=small(cls), random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sampled, labels = sampler.fit_resample(X, target)
    assert np.isfinite(sampled).all() and (np.bincount(labels) <= 30).all()


@every_model
@pytest.mark.filterwarnings("ignore")
def test_dask_ml(cls):
    wrappers = pytest.importorskip("dask_ml.wrappers", reason="dask_ml")
    da = pytest.importorskip("dask.array", reason="dask")
    blocks = da.from_array(X, chunks=(30, 4))
    after = wrappers.ParallelPostFit(small(cls).fit(X))
    np.testing.assert_array_equal(
        after.predict(blocks).compute(), after.estimator.predict(X)
    )
    # KernelRIM has weights for the samples of its first fit, and refuses others.
    if hasattr(cls, "partial_fit") and cls is not KernelRIM:
        stream = wrappers.Incremental(small(cls), shuffle_blocks=False).fit(blocks)
        assert stream.estimator_.n_iter_ == 3


@every_model
@pytest.mark.filterwarnings("ignore")
def test_shap(cls):
    shap = pytest.importorskip("shap", reason="shap")
    model = small(cls).fit(X)
    function = getattr(model, "predict_proba", model.predict)
    explainer = shap.KernelExplainer(function, X[::30])
    values = explainer.shap_values(X[:1], silent=True)
    total = np.asarray(values)[0].sum(axis=0) + explainer.expected_value
    np.testing.assert_allclose(total, function(X[:1])[0], atol=1e-6)


@every_model
def test_decision_boundaries_with_an_empty_cluster(cls):
    pytest.importorskip("matplotlib", reason="matplotlib")
    import matplotlib.pyplot as plt

    # Far more clusters than a training of a moment will use.
    model = small(cls, **{count_of(cls): 30}, init="random").fit(X[:, :2])
    DecisionBoundaryDisplay.from_estimator(
        model, X[:, :2], response_method="predict", grid_resolution=10
    )
    plt.close("all")
    assert cls is Kauri or model.n_clusters_ < 30
