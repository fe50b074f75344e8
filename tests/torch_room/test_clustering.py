"""`TorchClustering`: a scikit-learn clusterer around any network."""

import copy
import os
import pickle
import signal
import warnings

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.datasets import load_digits, make_blobs
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import adjusted_rand_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

torch = pytest.importorskip("torch")

from torch import nn

from gemclus import TrainingInterrupted
from gemclus.gemini import MMDGEMINI, HellingerGEMINI, WassersteinGEMINI
from gemclus.torch import ConsistencyLoss, GeminiLoss, TorchClustering, VATLoss
from gemclus.torch._arguments import check_parameters, make_task
from gemclus.torch._restarts import _better_half, _stages
from gemclus.torch._seeding import starting_labels
from gemclus.torch._training import Training

# Most trainings here are too short to use all clusters.
pytestmark = pytest.mark.filterwarnings("ignore:TorchClustering uses:UserWarning")


def trunk(n_features=4, width=12):
    return nn.Sequential(nn.Linear(n_features, width), nn.BatchNorm1d(width), nn.ReLU())


def classifier(n_features=4, n_clusters=3):
    return nn.Sequential(nn.Linear(n_features, 8), nn.Tanh(), nn.Linear(8, n_clusters))


def blobs(n=240, K=3, dtype=np.float32):
    X, y = make_blobs(n, n_features=4, centers=K, cluster_std=0.5, random_state=0)
    return StandardScaler().fit_transform(X).astype(dtype), y


def model(module=None, objective="mi", n_clusters=3, **arguments):
    settings = dict(max_epochs=8, batch_size=60, learning_rate=1e-2, random_state=0)
    module = trunk() if module is None else module
    return TorchClustering(module, objective, n_clusters, **{**settings, **arguments})


def same_weights(one, other):
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def noise(X):
    return X + 0.1 * torch.randn_like(X)


@parametrize_with_checks(
    [
        TorchClustering(
            nn.Sequential(nn.LazyLinear(16), nn.Tanh()),
            n_clusters=3,
            max_epochs=5,
            learning_rate=1e-2,
        )
    ],
    expected_failed_checks=lambda estimator: {
        "check_sample_weight_equivalence_on_dense_data": (
            "k-means++ draws its centres from the rows"
        )
    },
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("objective", ["mi", "mmd_ovo", "wasserstein_ova", "tv_ovo"])
@pytest.mark.parametrize("make", [trunk, classifier])
def test_separated_blobs_are_found(make, objective):
    X, y = blobs()
    fitted = model(make(), objective, max_epochs=15, n_init=4).fit(X)
    assert adjusted_rand_score(y, fitted.labels_) == 1
    assert fitted.n_clusters_used_ == fitted.n_clusters_ == 3
    P = fitted.predict_proba(X)
    assert P.shape == (240, 3)
    np.testing.assert_allclose(P.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(P.argmax(axis=1), fitted.predict(X))
    np.testing.assert_array_equal(fitted.transform(X), P)
    np.testing.assert_array_equal(fitted.labels_, fitted.predict(X))


def test_the_module_given_stays_as_it_is():
    module = trunk()
    before = copy.deepcopy(module)
    X, _ = blobs()
    fitted = model(module, regularisers=[VATLoss(eps="neighbours")]).fit(X)
    assert same_weights(module, before)
    assert fitted.module is module
    assert fitted.regularisers[0].radii_ is None


def everything(**arguments):
    return model(
        nn.Sequential(trunk(), nn.Dropout(0.1)),
        regularisers=[(VATLoss(eps=0.1), 2.0), ConsistencyLoss(noise)],
        n_heads=3,
        n_auxiliary=7,
        n_init=3,
        **arguments,
    )


def test_the_seed_alone_decides():
    X, _ = blobs()
    first = everything().fit(X)
    torch.manual_seed(99)  # other weights in the module given, other noise around
    second = everything().fit(X)
    assert same_weights(first.network_, second.network_)
    np.testing.assert_array_equal(first.start_losses_, second.start_losses_)
    other = everything(random_state=1).fit(X)
    assert not same_weights(first.network_, other.network_)


def test_the_random_numbers_of_the_caller_stay():
    X, _ = blobs()
    estimator = everything()
    before = torch.random.get_rng_state()
    estimator.fit(X).predict(X)
    assert torch.equal(before, torch.random.get_rng_state())


def test_pretrained_weights_and_frozen_layers():
    X, _ = blobs()
    module = nn.Sequential(nn.Linear(4, 12), nn.ReLU(), nn.Linear(12, 6))
    module[0].requires_grad_(False)
    fitted = model(module).fit(X)
    assert same_weights(fitted.network_.trunk[0], module[0])
    assert not fitted.network_.trunk[0].weight.requires_grad
    kept = model(module, pretrained=True, learning_rate=1e-12).fit(X)
    torch.testing.assert_close(kept.network_.trunk[2].weight, module[2].weight)
    drawn = model(module, learning_rate=1e-12).fit(X)
    assert not torch.allclose(drawn.network_.trunk[2].weight, module[2].weight)


def test_heads_and_restarts_keep_the_best_objective():
    X, _ = blobs()
    fitted = everything(max_epochs=8).fit(X)
    training = fitted._run.training
    losses, objectives = training.losses, training.objectives
    assert len(losses) == len(objectives) == fitted.n_iter_ == 8
    assert all(each.shape == (3,) for each in (*losses, *objectives))
    assert fitted.head_ == objectives[-1].argmin()
    assert fitted.start_losses_.shape == (3,)
    assert fitted.history_["loss"][-1] == losses[-1][fitted.head_]
    assert fitted.history_["objective"][-1] == objectives[-1].min()
    assert fitted.history_["objective"][-1] == fitted.start_losses_.min()
    np.testing.assert_array_equal(fitted.objective_curve_, -fitted.history_["loss"])
    # The heads that predicts is the one cut out.
    network = fitted.network_.eval()
    logits = network(torch.tensor(X))
    assert [tuple(each.shape) for each in logits] == [(3, 240, 3), (1, 240, 7)]
    torch.testing.assert_close(fitted.module_(torch.tensor(X)), logits[0][fitted.head_])


def test_a_regulariser_chooses_no_head():
    """It likes the head that finds nothing, whose predictions nothing changes."""
    X, _ = blobs()
    training = begun(X, n_heads=2)
    training.losses = [np.array([-1.0, -2.0])]
    training.objectives = [np.array([-3.0, -2.5])]
    assert training.best_head == 0
    assert training.least == -3.0


def test_weak_starts_end_early():
    X, _ = blobs()
    fitted = model(n_init=5, max_epochs=8)
    lengths = []

    class Watch(Recorder):
        def on_fit_task_begin(self, estimator, context):
            if context.task_name == "training":
                lengths.append(0)

    counted = fitted.set_callbacks(Watch()).fit(X)
    assert len(lengths) == 5
    assert counted.n_iter_ == 8


def test_rungs_keep_the_better_half():
    assert _stages(40, 6) == [10, 20, 40]
    assert _stages(40, 1) == [40]
    assert _stages(1, 6) == [1]

    class Fake:
        def __init__(self, loss):
            self.training = self
            self.least = loss

    runs = [Fake(loss) for loss in (3.0, 1.0, 2.0, np.inf, 0.0)]
    assert [run.least for run in _better_half(runs)] == [0.0, 1.0, 2.0]


def begun(X, **arguments):
    """A training that has not begun."""
    estimator = model(**arguments)
    loss, regularisers = check_parameters(estimator)
    estimator._check_samples(X, reset=True)
    return Training(make_task(estimator, X, None, None, loss, regularisers), 0)


def test_soft_starts_lead_each_head_towards_its_labels():
    X, y = blobs()
    training = begun(X, batch_size=10, n_heads=2)
    labels = np.stack([(y + 1) % 3, (2 * y) % 3])
    training.lead_towards(labels)
    P = training.network.eval()(torch.tensor(X))[0].softmax(-1).detach().numpy()
    assert np.mean(P.argmax(axis=-1) == labels) > 0.95
    assert 0.4 < np.median(P.max(axis=-1)) < 0.8


def test_odds_of_the_soft_start_are_its_optimum():
    """The cross-entropy is least at the odds of 3 to 1."""
    X, y = blobs()
    training = begun(X, batch_size=240)
    values, found = [], []
    training._step = lambda value: found.append(value)
    for logit in (np.log(3.0), np.log(2.9), np.log(3.1)):
        outputs = torch.full((240, 3), 0.0)
        outputs[torch.arange(240), torch.as_tensor(y)] = float(logit)
        training._batches = lambda: iter(
            [(torch.arange(240), torch.tensor(X), None, 1.0)]
        )
        training._outputs = lambda X, outputs=outputs: outputs
        training.lead_towards(y[None])
        values.append(float(found[-1]))
    assert values[0] < min(values[1:])


def test_samples_of_unknown_label_do_not_lead():
    """Their cross-entropy counts for nothing, whatever their outputs are."""
    X, y = blobs()
    y = np.where(np.arange(240) % 4, y, -1)
    fitted = []
    for other in (X, np.where(y[:, None] < 0, X[::-1], X)):
        training = begun(other, module=classifier(), batch_size=1000)
        training.lead_towards(y[None])
        fitted.append(training.network)
    torch.testing.assert_close(*(list(each.state_dict().values()) for each in fitted))
    known = y >= 0
    P = fitted[0](torch.tensor(X))
    assert np.mean(P.argmax(-1).numpy()[known] == y[known]) > 0.95


@pytest.mark.parametrize("objective", ["mi", "mmd_ova", "wasserstein_ovo"])
def test_seeds_lie_in_the_geometry_of_the_objective(objective):
    """Of which only one tells the angles from the lengths."""
    angle = np.repeat([0.0, 2.0, 4.0], 80) + np.linspace(0, 0.1, 240)
    length = np.tile([1.0, 1e3, 2e3], 80)
    X = (length * [np.cos(angle), np.sin(angle)]).T.astype(np.float32)
    family = objective[:3]
    arguments = {"mmd": {"kernel": "cosine"}, "was": {"metric": "cosine"}}
    loss = GeminiLoss(objective, **arguments.get(family, {}))
    task = begun(X, module=trunk(2), objective=loss, n_heads=2, init="k-means++").task
    labels = starting_labels(task, 0)
    assert labels.shape == (2, 240)
    truth = np.repeat([0, 1, 2], 80)
    scores = [adjusted_rand_score(truth, each) for each in labels]
    assert min(scores) == 1 if family in arguments else max(scores) < 0.9


def test_half_precision_takes_every_start_and_the_neighbours():
    X, y = blobs()
    module = classifier().to(torch.bfloat16)
    for objective in ("mi", "mmd_ova"):
        fitted = model(module, objective, regularisers=[VATLoss(eps="neighbours")])
        assert adjusted_rand_score(y, fitted.fit(X).labels_) > 0.5
        half = torch.tensor(X).to(torch.bfloat16)
        np.testing.assert_array_equal(
            fitted.predict(half), fitted.predict(half.float())
        )


def test_integer_weights_repeat_samples_in_a_full_batch():
    X, _ = blobs(60, dtype=np.float64)
    weight = np.random.RandomState(0).randint(0, 3, size=60)
    module = classifier().double()
    settings = dict(
        init="random", batch_size=1000, max_epochs=5, pretrained=True, objective="mi",
        regularisers=[(ConsistencyLoss(lambda X: 1.1 * X), 2.0)],
    )  # fmt: skip
    weighted = model(module, **settings).fit(X, sample_weight=weight)
    repeated = model(module, **settings).fit(np.repeat(X, weight, axis=0))
    np.testing.assert_allclose(
        weighted.predict_proba(X), repeated.predict_proba(X), rtol=1e-7
    )
    np.testing.assert_allclose(
        weighted.score(X, sample_weight=weight),
        weighted.score(np.repeat(X, weight, axis=0)),
        rtol=1e-12,
    )


def test_weight_zero_removes_a_sample():
    X, _ = blobs()
    weight = np.ones(len(X))
    weight[::5] = 0
    full = everything().fit(X, sample_weight=weight)
    part = everything().fit(X[weight > 0], sample_weight=np.full(192, 3.0))
    np.testing.assert_allclose(full.predict_proba(X), part.predict_proba(X), rtol=1e-4)
    assert full.labels_.shape == (240,)


def test_weights_move_the_clusters():
    X, y = blobs()
    weight = np.where(y == 2, 1e-3, 1.0)
    fitted = model(n_clusters=2, max_epochs=30).fit(X, sample_weight=weight)
    assert adjusted_rand_score(y[y < 2], fitted.labels_[y < 2]) == 1


def test_images_and_tensors():
    X = load_digits().data[:300].reshape(-1, 1, 8, 8) / 16
    module = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten()
    )
    fitted = model(module, n_clusters=10, regularisers=[VATLoss(eps="neighbours")])
    fitted.fit(X)
    assert fitted.n_clusters_used_ >= 5
    assert fitted.labels_.shape == (300,)
    np.testing.assert_array_equal(fitted.predict(torch.tensor(X)), fitted.labels_)
    with pytest.raises(
        ValueError, match=r"shape \(1, 8, 8\), as in fit, got \(1, 4, 8\)"
    ):
        fitted.predict(X[:, :, :4])


@pytest.mark.parametrize(
    "objective",
    [MMDGEMINI(kernel="precomputed"), WassersteinGEMINI(metric="precomputed")],
)
def test_precomputed_affinities(objective):
    X, y = blobs()
    D = np.sqrt(((X[:, None] - X) ** 2).sum(axis=-1))
    A = X @ X.T if isinstance(objective, MMDGEMINI) else D
    named = objective.__class__()
    given = model(objective=objective).fit(X, A)
    computed = model(objective=named).fit(X)
    assert adjusted_rand_score(y, given.labels_) == 1
    np.testing.assert_allclose(
        given.history_["loss"], computed.history_["loss"], rtol=1e-3
    )
    score = given.score(X, A)
    assert given.set_params(objective=named).score(X) == pytest.approx(score, rel=1e-5)
    with pytest.raises(ValueError, match="y must be the precomputed matrix"):
        model(objective=objective).fit(X)


def test_precomputed_affinities_in_any_container():
    X, _ = blobs()
    pandas = pytest.importorskip("pandas")
    K = X @ X.T
    fits = [
        model(objective=MMDGEMINI(kernel="precomputed"), init=init).fit(X, given)
        for init in ("random", "k-means++")
        for given in (K, torch.tensor(K), pandas.DataFrame(K), csr_matrix(K))
    ]
    for each in fits[1:4]:
        assert same_weights(each.network_, fits[0].network_)
    for each in fits[5:]:
        assert same_weights(each.network_, fits[4].network_)
    D = csr_matrix(np.abs(X[:, :1] - X[:, 0]))
    with pytest.raises(TypeError, match="sparse"):
        model(objective=WassersteinGEMINI(metric="precomputed"), init="random").fit(
            X, D
        )


def test_score_is_the_objective_of_the_predictions():
    X, _ = blobs(dtype=np.float64)
    loss = GeminiLoss("hellinger_ovo", balance=2.0)
    fitted = model(trunk().double(), loss).fit(X)
    expected = HellingerGEMINI(ovo=True)(fitted.predict_proba(X), None)
    assert fitted.score(X) == pytest.approx(expected, rel=1e-9)
    assert loss.balance == 2.0


def test_partial_fit_goes_on():
    X, y = blobs()
    streamed = model(init="random")
    for _ in range(15):
        for part in np.array_split(X, 2):
            assert streamed.partial_fit(part) is streamed
    assert streamed.n_iter_ == 30
    assert adjusted_rand_score(y, streamed.predict(X)) > 0.95
    fitted = model(max_epochs=4).fit(X)
    before = copy.deepcopy(fitted.network_)
    fitted.partial_fit(X)
    assert fitted.n_iter_ == 5
    assert len(fitted.history_["loss"]) == 5
    assert not same_weights(before, fitted.network_)


def test_copies_and_pickles_are_independent_and_alike():
    X, _ = blobs()
    fitted = everything().fit(X)
    for other in (pickle.loads(pickle.dumps(fitted)), copy.deepcopy(fitted)):
        np.testing.assert_array_equal(other.predict_proba(X), fitted.predict_proba(X))
        before = copy.deepcopy(fitted.network_)
        other.partial_fit(X)
        assert same_weights(before, fitted.network_)
    again, there = fitted, pickle.loads(pickle.dumps(fitted))
    again.partial_fit(X)
    there.partial_fit(X)
    assert same_weights(again.network_, there.network_)


def test_clones_are_unfitted_and_train_the_same():
    X, _ = blobs()
    fitted = everything().fit(X)
    cloned = clone(fitted)
    with pytest.raises(NotFittedError):
        cloned.predict(X)
    assert not hasattr(cloned, "module_")
    assert same_weights(cloned.fit(X).network_, fitted.network_)


def test_searches_and_pipelines():
    X, _ = blobs()
    pipeline = make_pipeline(StandardScaler(), model())
    search = GridSearchCV(
        pipeline, {"torchclustering__objective": ["mi", "kl_ovo"]}, cv=2
    ).fit(X)
    assert search.best_score_ > 0
    names = search.best_estimator_[-1].get_feature_names_out()
    assert list(names) == [f"torchclustering{k}" for k in range(3)]


class Recorder:
    """A callback that counts; it stops a training after some epochs."""

    def __init__(self, stop_after=None):
        self.tasks, self.stop_after = [], stop_after

    def setup(self, estimator, context):
        self.tasks.append("setup")

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context, **_):
        self.tasks.append(context.task_name)
        n_epochs = self.tasks.count("epoch")
        return context.task_name == "epoch" and n_epochs == self.stop_after

    def teardown(self, estimator, context):
        self.tasks.append("teardown")


def test_callbacks_follow_epochs_and_may_stop():
    X, _ = blobs()
    watcher = Recorder()
    model(max_epochs=3).set_callbacks(watcher).fit(X)
    assert watcher.tasks == ["setup", *["epoch"] * 3, "training", "fit", "teardown"]
    stopper = Recorder(stop_after=2)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        fitted = model(max_epochs=9, tol=1e-9).set_callbacks(stopper).fit(X)
    assert fitted.n_iter_ == 2
    # The callbacks stay with the model, the trained state does not hold them.
    assert pickle.loads(pickle.dumps(fitted._run)).monitor.reporters == ()


def test_verbose_reports(caplog):
    X, _ = blobs()
    with caplog.at_level("INFO", logger="gemclus"):
        model(verbose=True, max_epochs=3).fit(X)
    assert [record.args[:2] for record in caplog.records] == [
        *[("TorchClustering", epoch) for epoch in (1, 2, 3)],
        ("TorchClustering", "reached max_epochs"),
    ]


def ends(caplog, call, expected_error=None):
    """The ends of the trainings of a call, by their names."""
    caplog.clear()
    with caplog.at_level("INFO", logger="gemclus"), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        if expected_error is None:
            call()
        else:
            with pytest.raises(expected_error):
                call()
    return {
        record.args[0]: record.args[1]
        for record in caplog.records
        if isinstance(record.args[1], str)
    }


def test_the_end_of_each_training_is_said(caplog):
    X, _ = blobs()

    def end(module=None, error=None, callback=None, **arguments):
        estimator = model(module, verbose=True, **arguments)
        if callback is not None:
            estimator.set_callbacks(callback)
        return ends(caplog, lambda: estimator.fit(X), error)

    name = "TorchClustering"
    patient = dict(tol=1e-2, n_iter_no_change=3, max_epochs=200)
    assert end(**patient) == {name: "converged"}
    assert end(max_epochs=2, tol=1e-9) == {name: "reached max_epochs"}
    assert end(callback=Recorder(2)) == {name: "stopped by a callback"}
    assert end(Exploding(10), init="random") == {name: "diverged"}
    error = TrainingInterrupted
    assert end(Interrupting(14), error, init="random") == {name: "interrupted"}
    several = end(n_init=3)
    assert sorted(several) == [f"{name}, training {i} of 3" for i in (1, 2, 3)]
    assert sorted(several.values()) == [
        "left for better starts", "left for better starts", "reached max_epochs"
    ]  # fmt: skip


class Interrupting(nn.Module):
    """A trunk that is interrupted at one of its calls in training."""

    def __init__(self, at):
        super().__init__()
        self.inner, self.at, self.calls = trunk(), at, [0]

    def forward(self, X):
        if self.training:
            self.calls[0] += 1
            if self.calls[0] == self.at:
                raise KeyboardInterrupt
        return self.inner(X)

    def __deepcopy__(self, memo):
        new = Interrupting(self.at)
        new.inner, new.calls = copy.deepcopy(self.inner, memo), self.calls
        return new


@pytest.mark.parametrize("at, n_epochs", [(1, 0), (2, 0), (10, 2), (14, 3)])
def test_ctrl_c_keeps_the_model_and_is_raised_again(at, n_epochs):
    X, _ = blobs()
    interrupted = model(Interrupting(at), init="random")
    with pytest.raises(TrainingInterrupted, match=f"after {n_epochs} epochs") as caught:
        interrupted.fit(X)
    assert caught.value.model is interrupted
    assert interrupted.n_iter_ == n_epochs
    assert interrupted.predict(X).shape == (240,)


def test_ctrl_c_among_restarts_keeps_the_best_so_far():
    X, _ = blobs()
    # Four batches in each of eight epochs; two epochs to the first rung.
    interrupted = model(Interrupting(25), init="random", n_init=3)
    with pytest.raises(TrainingInterrupted):
        interrupted.fit(X)
    assert interrupted.n_iter_ >= 2
    assert adjusted_rand_score(interrupted.labels_, interrupted.predict(X)) == 1


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_a_real_signal_ends_a_long_training():
    X, _ = blobs()
    # Where Ctrl-C is ignored, as in the background of a shell.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    n_calls = [0]

    def press(network, X, logits):
        n_calls[0] += 1
        if n_calls[0] == 10:  # of four in each epoch
            os.kill(os.getpid(), signal.SIGINT)
        return 0.0

    class Shared:  # a copy counts the same calls
        __call__ = staticmethod(press)

        def __deepcopy__(self, memo):
            return self

    try:
        with pytest.raises(TrainingInterrupted) as caught:
            model(regularisers=[Shared()]).fit(X)
    finally:
        signal.signal(signal.SIGINT, before)
    assert caught.value.model.n_iter_ == 2


class Exploding(nn.Module):
    """Its output is NaN from some call in training on."""

    def __init__(self, at):
        super().__init__()
        self.inner, self.at, self.n_calls = classifier(), at, 0

    def forward(self, X):
        outputs = self.inner(X)
        if self.training:
            self.n_calls += 1
            if self.n_calls >= self.at:
                return outputs * float("nan")
        return outputs


def test_a_loss_that_is_not_finite_keeps_the_last_epoch():
    X, _ = blobs()
    shorter = model(Exploding(10**9), init="random", max_epochs=2).fit(X)
    with pytest.warns(
        ConvergenceWarning, match="diverged after 2 epochs.*learning_rate"
    ):
        diverged = model(Exploding(10), init="random").fit(X)
    assert diverged.n_iter_ == 2
    assert same_weights(diverged.network_, shorter.network_)
    assert np.isfinite(diverged.predict_proba(X)).all()


def test_a_loss_that_is_not_finite_at_once_is_refused():
    X, _ = blobs()
    fitted = model(classifier()).fit(X)
    before = dict(vars(fitted))
    fitted.module = Exploding(1)
    with pytest.raises(ValueError, match="diverged after 0 epochs.*learning_rate"):
        fitted.fit(X)
    assert {k: v for k, v in vars(fitted).items() if k != "module"} == {
        k: v for k, v in before.items() if k != "module"
    }
    fitted.module = classifier()
    with pytest.raises(ValueError, match="partial_fit diverged"):
        model(Exploding(1), init="random").partial_fit(X)


def test_a_start_that_diverges_leaves_the_others():
    X, _ = blobs()
    n_made = [0]

    class Sometimes(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = trunk()

        def __deepcopy__(self, memo):
            new = Sometimes()
            n_made[0] += 1
            new.bad = n_made[0] == 1
            return new

        def forward(self, X):
            bad = self.training and self.bad
            return self.inner(X) * (float("nan") if bad else 1.0)

    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        fitted = model(Sometimes(), init="random", n_init=3, max_epochs=15).fit(X)
    assert np.isinf(fitted.start_losses_[0])
    assert fitted.n_iter_ == 15


def test_tol_ends_a_training_and_the_limit_warns():
    X, _ = blobs()
    converged = model(tol=1e-2, n_iter_no_change=3, max_epochs=200).fit(X)
    assert converged.converged_
    assert converged.n_iter_ < 200
    with pytest.warns(ConvergenceWarning, match="did not converge in max_epochs=2"):
        limited = model(tol=1e-9, max_epochs=2).fit(X)
    assert not limited.converged_


def test_dead_clusters_get_a_remedy():
    X, _ = blobs()

    class Dead(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(4, 3)

        def forward(self, X):
            return self.layer(X) + torch.tensor([0.0, 0.0, -50.0])

    with pytest.warns(UserWarning, match="uses 2 of its 3 clusters.*balance.*n_init"):
        fitted = model(Dead(), init="random").fit(X)
    assert fitted.n_clusters_used_ == 2


@pytest.mark.parametrize("n, batch_size", [(241, 60), (3, 2), (5, 2), (61, 60), (7, 3)])
def test_no_batch_has_one_sample(n, batch_size):
    X = np.random.RandomState(0).normal(size=(n, 4)).astype(np.float32)
    sizes = []

    class Sized(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(4, 6)

        def forward(self, X):
            if self.training:
                sizes.append(len(X))
            return self.layer(X)

    fitted = model(Sized(), n_clusters=2, batch_size=batch_size, init="random")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted.set_params(max_epochs=1).fit(X)
    assert sum(sizes) == n
    assert 2 <= min(sizes)
    assert max(sizes) <= batch_size + 1


def frozen():
    return classifier().requires_grad_(False)


def bad(module=None, **arguments):
    return lambda X: model(module, **arguments).fit(X)


def returning(outputs):
    class Module(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(4, 3)

        def forward(self, X):
            return outputs(self.layer(X))

    return Module()


@pytest.mark.parametrize(
    "call, error, message",
    [
        (bad(module=nn.Linear), TypeError, "module must be a torch.nn.Module"),
        (bad(module=nn.Linear(5, 3)), ValueError, r"samples of shape \(4,\)"),
        (bad(module=returning(lambda z: z[:, 0])), ValueError, r"got \(2,\) for 2"),
        (bad(module=returning(lambda z: z[:1])), ValueError, r"got \(1, 3\) for 2"),
        (bad(module=returning(lambda z: z[None])), ValueError, r"got \(1, 2, 3\) for"),
        (bad(module=returning(lambda z: (z,))), ValueError, "got tuple for 2"),
        (bad(module=frozen()), ValueError, "must have parameters that require"),
        (bad(module=classifier(), n_heads=2), ValueError, "n_heads=2 and n_aux"),
        (bad(module=classifier(), n_auxiliary=5), ValueError, "n_auxiliary=5 are"),
        (bad(objective="kl_all"), ValueError, "objective must be one of"),
        (bad(objective=3), TypeError, "objective must be a name or a GEMINI"),
        (bad(n_clusters=0), ValueError, "n_clusters must be at least 1"),
        (bad(n_clusters=500), ValueError, "n_samples=240 must be at least"),
        (bad(regularisers=VATLoss()), TypeError, "regularisers must be a sequence"),
        (bad(regularisers=[VATLoss]), TypeError, r"regularisers\[0\] must be a call"),
        (bad(regularisers=[(VATLoss(), -1)]), ValueError, r"weight of regularisers"),
        (bad(init="soft"), ValueError, "init must be one of"),
        (bad(init=np.zeros(3, dtype=int)), ValueError, "init must give one label"),
        (bad(init=np.full(240, 7)), ValueError, "init must hold labels from 0 to 2"),
        (bad(n_init=0), ValueError, "n_init must be at least 1"),
        (bad(n_heads=0), ValueError, "n_heads must be at least 1"),
        (bad(n_auxiliary=-1), ValueError, "n_auxiliary must be at least 0"),
        (bad(batch_size=1), ValueError, "batch_size must be at least 2, got 1"),
        (bad(max_epochs=0), ValueError, "max_epochs must be at least 1"),
        (bad(learning_rate=0.0), ValueError, "learning_rate must be greater than"),
        (bad(device="abacus"), ValueError, "device must be 'auto' or what"),
        (bad(tol=-1.0), ValueError, "tol must be at least 0"),
        (bad(schedule="steps"), ValueError, "schedule must be one of"),
        (bad(verbose="loud"), TypeError, "verbose must be"),
        (bad(pretrained=1), TypeError, "pretrained must be True or False"),
        (lambda X: model().fit(X[:1]), ValueError, "minimum of 2 is required"),
        (lambda X: model().partial_fit(X[:1]), ValueError, "minimum of 2 is required"),
        (lambda X: model().fit(np.full((9, 4), np.nan)), ValueError, "contains NaN"),
        (
            lambda X: model().fit(X, sample_weight=np.ones(3)),
            ValueError,
            r"sample_weight must have shape \(240,\), got \(3,\)",
        ),
        (
            lambda X: model().fit(X, sample_weight=np.zeros(240)),
            ValueError,
            "must not be all zero",
        ),
        (
            lambda X: model().fit(X, sample_weight=-np.ones(240)),
            ValueError,
            "not negative",
        ),
        (
            lambda X: model().fit(X, sample_weight=["a"] * 240),
            TypeError,
            "sample_weight must hold numbers",
        ),
        (
            lambda X: model().fit(X, sample_weight=np.eye(1, 240)[0]),
            ValueError,
            "positive for at least 2",
        ),
    ],
)
def test_bad_input(call, error, message):
    X, _ = blobs()
    with pytest.raises(error, match=message):
        call(X)


def test_a_failed_fit_leaves_the_model_as_it_was():
    X, _ = blobs()
    fitted = model().fit(X)
    before = dict(vars(fitted))
    with pytest.raises(ValueError, match="minimum of 2"):
        fitted.fit(X[:1, :2])
    with pytest.raises(ValueError, match="samples of shape"):
        fitted.fit(X[:, :2])
    assert vars(fitted) == before


def test_constructor_parameters_never_change():
    X, _ = blobs()
    estimator = everything()
    before = estimator.get_params(deep=False)
    estimator.fit(X).partial_fit(X)
    after = estimator.get_params(deep=False)
    assert all(before[name] is after[name] for name in before)
