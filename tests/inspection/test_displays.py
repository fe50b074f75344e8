"""Displays: what is drawn, and which numbers stand behind it."""

import subprocess
import sys

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from estimators import PUBLISHED
from sklearn.cluster import KMeans
from sklearn.datasets import load_iris, load_wine
from sklearn.exceptions import NotFittedError
from sklearn.metrics import silhouette_samples
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from gemclus.data import celeux_one
from gemclus.inspection import (
    AssignmentDisplay,
    ClusterProfileDisplay,
    KSelectionDisplay,
    ObjectiveCurveDisplay,
    PathDisplay,
    SilhouetteDisplay,
)
from gemclus.linear import RIM, LinearMMD
from gemclus.selection import KSelector
from gemclus.sparse import SparseLinearMMD
from gemclus.tree import Kauri

IRIS = load_iris().data


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def rim():
    model = RIM(3, reg=0.01, solver="lbfgs", n_init=4, random_state=0, init="random")
    return model.fit(StandardScaler().fit_transform(IRIS))


def texts(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_the_curve_of_one_training():
    model = LinearMMD(3, max_iter=7, random_state=0, **PUBLISHED).fit(IRIS)
    display = ObjectiveCurveDisplay.from_estimator(model)
    (line,) = display.lines_
    np.testing.assert_array_equal(line.get_xdata(), np.arange(1, 8))
    np.testing.assert_array_equal(line.get_ydata(), model.objective_curve_)
    assert display.ax_.get_title() == "LinearMMD"
    assert display.ax_.get_xlabel() == "epoch"
    assert texts(display.ax_) == ["objective"]
    assert display.figure_ is display.ax_.figure


def test_the_curve_kept_is_marked_among_all():
    curves = [np.array([0.1, 0.2]), np.array([0.0, 0.4, 0.5]), np.array([0.3])]
    _, ax = plt.subplots()
    display = ObjectiveCurveDisplay(curves, kept=1, name="RIM").plot(ax=ax)
    assert display.ax_ is ax
    for line, curve in zip(display.lines_, curves, strict=True):
        np.testing.assert_array_equal(line.get_ydata(), curve)
    widths = [line.get_linewidth() for line in display.lines_]
    assert widths[1] > max(widths[0], widths[2])
    assert set(texts(ax)) == {"training kept", "other trainings"}


def test_the_gemini_alone_is_a_level(rim):
    X = StandardScaler().fit_transform(IRIS)
    display = ObjectiveCurveDisplay.from_estimator(rim, X)
    (level,) = [line for line in display.ax_.lines if line not in display.lines_]
    assert level.get_ydata()[0] == pytest.approx(rim.score(X))
    # The curve holds the ridge penalty as well.
    assert level.get_ydata()[0] > rim.objective_curve_[-1]
    assert any(text.startswith("GEMINI alone") for text in texts(display.ax_))


def test_all_trainings_of_a_fit_are_drawn(rim):
    display = ObjectiveCurveDisplay.from_estimator(rim)
    assert len(display.lines_) == rim.n_init == 4
    kept = display.lines_[display.kept]
    np.testing.assert_array_equal(kept.get_ydata(), rim.objective_curve_)
    ends = [line.get_ydata()[-1] for line in display.lines_]
    assert ends[display.kept] == max(ends)


@pytest.fixture(scope="module")
def path_model():
    X, _ = celeux_one(n=100, p=5, random_state=0)
    frame = pd.DataFrame(X, columns=[f"f{j}$" for j in range(10)])
    model = SparseLinearMMD(
        3, alpha=0.1, ovo=True, max_iter=100, solver="sgd", init="random"
    )
    model.set_params(random_state=0).path(frame, alpha_multiplier=1.5)
    return model


def test_a_path_and_what_it_kept(path_model):
    path = path_model.path_
    display = PathDisplay.from_estimator(path_model)
    assert len(display.lines_) == 10
    for feature, line in enumerate(display.lines_):
        np.testing.assert_array_equal(line.get_xdata(), path.alphas)
        np.testing.assert_array_equal(line.get_ydata(), path.feature_norms[:, feature])
    kept = path_model.get_selection()
    np.testing.assert_array_equal(np.sort(display.survivors_), kept)
    norms = path.feature_norms[path.kept_step, display.survivors_]
    assert (np.diff(norms) <= 0).all()
    named = texts(display.ax_)
    assert named == [f"f{j}" + r"\$" for j in sorted(display.survivors_)]
    grey = [display.lines_[j].get_color() for j in set(range(10)) - set(kept)]
    assert set(grey) == {"0.8"}
    _, below, count = display.axes_
    np.testing.assert_array_equal(below.lines[0].get_ydata(), path.geminis)
    np.testing.assert_array_equal(count.lines[0].get_ydata(), path.n_features)
    marks = [line.get_xdata()[0] for line in display.ax_.lines[10:]]
    assert marks == [path.alphas[path.kept_step]]
    assert display.ax_.get_xscale() == "log"
    display.figure_.canvas.draw()


def test_a_path_on_given_axes_with_given_names(path_model):
    _, ax = plt.subplots()
    names = list("abcdefghij")
    display = PathDisplay.from_estimator(path_model, feature_names=names, ax=ax)
    assert display.ax_ is ax
    assert set(texts(ax)) == {names[j] for j in display.survivors_}
    with pytest.raises(ValueError, match="feature_names must be 10 names, got 1"):
        PathDisplay.from_estimator(path_model, feature_names=["a"])
    with pytest.raises(ValueError, match="call path of this SparseLinearMMD first"):
        PathDisplay.from_estimator(
            SparseLinearMMD(3, max_iter=2, random_state=0, **PUBLISHED).fit(IRIS)
        )


def test_a_path_that_kept_nothing_marks_no_step():
    norms = [[1.0, 0.5], [0.0, 0.0]]
    display = PathDisplay(
        [0.1, 1.0], norms, [1.0, 0.0], [2, 0], kept=None, feature_names=["a", "b"]
    ).plot()
    assert not len(display.survivors_)
    assert [line.get_color() for line in display.ax_.lines] == ["0.8", "0.8"]


def test_models_without_epochs_have_no_curve():
    with pytest.raises(TypeError, match="objective_curve_.*Kauri"):
        ObjectiveCurveDisplay.from_estimator(Kauri(3).fit(IRIS))
    with pytest.raises(NotFittedError):
        ObjectiveCurveDisplay.from_estimator(RIM(**PUBLISHED))


def test_silhouettes_are_those_of_scikit_learn(rim):
    X = StandardScaler().fit_transform(IRIS)
    display = SilhouetteDisplay.from_estimator(rim, X)
    expected = silhouette_samples(X, rim.predict(X))
    np.testing.assert_array_equal(display.silhouettes, expected)
    assert display.mean_ == pytest.approx(expected.mean())
    assert len(display.bars_) == 3
    drawn = sum(len(bar.get_paths()[0].vertices) for bar in display.bars_)
    assert drawn >= 2 * len(X)
    sizes = np.bincount(rim.labels_)
    for k, tick in enumerate(display.ax_.get_yticklabels()):
        mean = expected[rim.labels_ == k].mean()
        assert tick.get_text() == f"cluster {k}\n{sizes[k]}: {mean:.2f}"
    # Each cluster has its own span of the axis, from the top downwards.
    spans = [bar.get_paths()[0].vertices[:, 1] for bar in display.bars_]
    assert spans[0].max() < spans[1].min() <= spans[1].max() < spans[2].min()
    # From nought to the values.
    for k, bar in enumerate(display.bars_):
        across, values = bar.get_paths()[0].vertices[:, 0], expected[rim.labels_ == k]
        assert across.min() == min(0.0, values.min())
        assert across.max() == max(0.0, values.max())
    # A fiftieth of all samples lies between them, in whole rows.
    starts = [span.min() for span in spans]
    ends = [span.max() for span in spans]
    assert starts == [3, 3 + sizes[0] + 3, 3 + sizes[0] + 3 + sizes[1] + 3]
    np.testing.assert_array_equal(ends, np.array(starts) + sizes - 1)
    # And its name stands at the middle of it.
    middles = [(span.min() + span.max()) / 2 for span in spans]
    np.testing.assert_allclose(display.ax_.get_yticks(), middles)
    assert display.ax_.yaxis_inverted()


def test_whole_rows_lie_between_silhouettes_of_any_number_of_samples():
    X = np.random.RandomState(0).normal(size=(190, 2))
    labels = (X[:, 0] > 0.3).astype(int)
    display = SilhouetteDisplay.from_predictions(X, labels)
    starts = [bar.get_paths()[0].vertices[:, 1].min() for bar in display.bars_]
    assert starts == [3, 3 + np.sum(labels == 0) + 3]


def test_silhouettes_of_many_samples_are_those_of_a_draw():
    X = np.random.RandomState(0).normal(size=(400, 2))
    labels = (X[:, 0] > 0).astype(int)
    one, two = (
        SilhouetteDisplay.from_predictions(X, labels, max_samples=50, random_state=s)
        for s in (0, 0)
    )
    assert len(one.silhouettes) == 50
    np.testing.assert_array_equal(one.silhouettes, two.silhouettes)


def test_silhouettes_need_two_clusters():
    with pytest.raises(ValueError, match="at least two clusters.*got 1 for 150"):
        SilhouetteDisplay.from_predictions(IRIS, np.zeros(150, int))
    with pytest.raises(
        ValueError, match="labels must have an entry for each of the 150"
    ):
        SilhouetteDisplay.from_predictions(IRIS, [0, 1])
    with pytest.raises(ValueError, match="labels must be integers"):
        SilhouetteDisplay.from_predictions(IRIS, np.zeros(150))
    with pytest.raises(ValueError, match="labels must be at least 0, got -1"):
        SilhouetteDisplay.from_predictions(IRIS, np.full(150, -1))


def test_memberships_are_sorted_by_cluster_and_certainty():
    P = np.array([[0.5, 0.5], [0.1, 0.9], [0.99, 0.01], [0.3, 0.7]])
    display = AssignmentDisplay.from_predictions(P, cluster_names=["low", "high"])
    np.testing.assert_array_equal(display.order_, [2, 0, 1, 3])
    entropy = -(P * np.log2(P)).sum(axis=1)
    np.testing.assert_allclose(display.entropy_, entropy)
    np.testing.assert_array_equal(display.least_sure_, [0, 3, 1, 2])
    ticks = [tick.get_text() for tick in display.ax_.get_xticklabels()]
    assert ticks == ["low\n2", "high\n2"]
    np.testing.assert_array_equal(display.ax_.get_xticks(), [1, 3])
    assert display.ax_.get_xlim() == (0, 4) and display.ax_.get_ylim() == (0, 1)
    # The first area reaches from 0 to the membership of cluster 0.
    tops = display.areas_[0].get_paths()[0].vertices
    for position, sample in enumerate(display.order_):
        column = tops[(tops[:, 0] == position) & (tops[:, 1] > 0), 1]
        assert P[sample, 0] in column


def test_sure_memberships_and_empty_clusters():
    P = np.eye(3)[[0, 0, 2]]
    display = AssignmentDisplay.from_predictions(P)
    np.testing.assert_array_equal(display.entropy_, 0)
    ticks = [tick.get_text() for tick in display.ax_.get_xticklabels()]
    assert ticks == ["cluster 0\n2", "cluster 2\n1"]


def test_memberships_must_be_probabilities():
    with pytest.raises(ValueError, match="sum to 1.*sums from 0.5 to 1.5"):
        AssignmentDisplay.from_predictions([[0.5, 0.0], [0.5, 1.0]])
    with pytest.raises(TypeError, match="predict_proba, got KMeans"):
        AssignmentDisplay.from_estimator(KMeans(2, n_init=1).fit(IRIS), IRIS)


def test_profiles_in_spreads():
    X = np.array([[0.0, 1.0], [2.0, 1.0], [10.0, 3.0], [12.0, 3.0]])
    display = ClusterProfileDisplay.from_predictions(X, [0, 0, 1, 1])
    # The second feature separates the clusters without any spread within.
    np.testing.assert_array_equal(display.features_, [1, 0])
    expected = np.array([[-1.0, 1.0], [-5.0 / X[:, 0].std(), 5.0 / X[:, 0].std()]])
    np.testing.assert_allclose(display.image_.get_array(), expected)
    cells = [text.get_text() for text in display.ax_.texts]
    assert cells == ["-1.0", "+1.0", "-1.0", "+1.0"]
    assert [t.get_text() for t in display.ax_.get_yticklabels()] == ["x1", "x0"]
    low, high = display.image_.get_clim()
    assert low == -high == -1.0


def test_profiles_of_a_frame_in_its_units():
    X, _ = load_wine(return_X_y=True, as_frame=True)
    model = make_pipeline(StandardScaler(), Kauri(3, random_state=0)).fit(X)
    display = ClusterProfileDisplay.from_estimator(
        model, X, units="original", max_features=4, cluster_names=["a", "b", "$c"]
    )
    labels = model.predict(X)
    assert len(display.features_) == 4
    cells = [text.get_text() for text in display.ax_.texts]
    medians = X.groupby(labels).median().to_numpy().T[display.features_]
    shown = [f"{v:,.0f}" if v >= 1000 else f"{v:.3g}" for v in medians.ravel()]
    assert cells == shown
    assert "1,080" in cells
    ticks = [t.get_text() for t in display.ax_.get_xticklabels()]
    assert ticks[2] == rf"\$c{chr(10)}{(labels == 2).sum()}"
    display.figure_.canvas.draw()


def test_profiles_with_missing_values_and_empty_clusters():
    X = np.array([[0.0, np.nan], [1.0, np.nan], [np.nan, np.nan], [5.0, np.nan]])
    display = ClusterProfileDisplay.from_predictions(X, [0, 0, 2, 2])
    np.testing.assert_array_equal(display.sizes, [2, 0, 2])
    row = list(display.features_).index(0)
    shown = np.asarray(display.image_.get_array().filled(np.nan))[row]
    assert np.isnan(shown[1])
    assert shown[0] == pytest.approx((0.5 - 2.0) / np.nanstd(X[:, 0]))
    assert shown[2] == pytest.approx((5.0 - 2.0) / np.nanstd(X[:, 0]))


def test_profiles_refuse_text_and_wrong_names():
    frame = pd.DataFrame({"plan": ["a", "b"], "age": [1, 2]})
    with pytest.raises(ValueError, match="X must hold numbers.*OneHotEncoder"):
        ClusterProfileDisplay.from_predictions(frame, [0, 1])
    with pytest.raises(ValueError, match="feature_names must be 4 names"):
        ClusterProfileDisplay.from_predictions(IRIS, [0] * 150, feature_names=["a"])
    with pytest.raises(ValueError, match="units must be one of"):
        ClusterProfileDisplay.from_predictions(IRIS, [0] * 150, units="cm")
    with pytest.raises(ValueError, match="cluster_names must be a sequence of 1 names"):
        ClusterProfileDisplay.from_predictions(
            IRIS, [0] * 150, cluster_names={0: "all"}
        )


def test_ranks_of_the_numbers_of_clusters():
    selector = KSelector(
        KMeans(n_init=1), range(2, 6), criteria=("silhouette", "calinski_harabasz")
    )
    selector.set_params(random_state=0).fit(IRIS)
    display = KSelectionDisplay.from_estimator(selector)
    assert list(display.lines_) == ["silhouette", "calinski_harabasz", "mean_rank"]
    for name, line in display.lines_.items():
        column = name if name == "mean_rank" else f"rank_{name}"
        np.testing.assert_array_equal(line.get_xdata(), [2, 3, 4, 5])
        np.testing.assert_array_equal(line.get_ydata(), selector.scores_[column])
    chosen = selector.scores_["n_clusters"][selector.best_index_]
    assert display.ax_.get_title() == f"chosen: {chosen}"
    assert display.ax_.yaxis_inverted()  # the best rank is at the top
    assert set(texts(display.ax_)) == {"silhouette", "calinski harabasz", "mean rank"}
    with pytest.raises(TypeError, match="must be a KSelector, got KMeans"):
        KSelectionDisplay.from_estimator(selector.best_estimator_)


@pytest.mark.parametrize(
    "draw",
    [
        lambda ax: ObjectiveCurveDisplay([np.ones(2)]).plot(ax),
        lambda ax: SilhouetteDisplay(np.ones(2), np.array([0, 1])).plot(ax),
        lambda ax: AssignmentDisplay(np.eye(2)).plot(ax),
    ],
)
def test_axes_must_be_axes(draw):
    with pytest.raises(TypeError, match="ax must be matplotlib axes or None, got 3"):
        draw(3)


def test_colours_differ_in_lightness():
    from gemclus.inspection._style import cluster_colours

    grey = cluster_colours(10)[:, :3] @ [0.299, 0.587, 0.114]
    assert (np.diff(grey) > 0.02).all()


def test_a_missing_matplotlib_names_the_extra():
    code = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "import numpy as np\n"
        "from gemclus.inspection import AssignmentDisplay\n"
        "try:\n"
        "    AssignmentDisplay.from_predictions(np.eye(2))\n"
        "except ImportError as error:\n"
        "    print(error)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd="/",
    )
    assert 'pip install "gemclus[plots]"' in result.stdout
