"""`VATLoss` and `ConsistencyLoss`: values, gradients, and what they leave alone."""

import copy

import numpy as np
import pytest
from sklearn.metrics import pairwise_distances

torch = pytest.importorskip("torch")

from torch import nn

from gemclus.torch import ConsistencyLoss, VATLoss


def network(seed=0, normalised=True):
    torch.manual_seed(seed)
    middle = nn.BatchNorm1d(8) if normalised else nn.Identity()
    return nn.Sequential(nn.Linear(4, 8), middle, nn.Tanh(), nn.Linear(8, 3)).double()


def samples(n=20, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, 4, generator=generator, dtype=torch.float64)


def divergence(p, q):
    p, q = p.softmax(-1), q.softmax(-1)
    return float((p * (p / q).log()).sum(-1).mean().detach())


REGULARISERS = [
    VATLoss(eps=0.5),
    ConsistencyLoss(lambda X: X + 0.3 * torch.randn_like(X)),
]
both = pytest.mark.parametrize("regulariser", REGULARISERS, ids=["vat", "consistency"])


@both
def test_nothing_but_the_gradients_of_the_loss_changes(regulariser):
    model, X = network(), samples()
    model[0].weight.requires_grad_(False)
    model(X).square().sum().backward()
    before = copy.deepcopy(model)
    gradients = [p.grad for p in model.parameters()]
    kept = [None if g is None else g.clone() for g in gradients]
    loss = regulariser(model, X)
    for (name, old), (_, new) in zip(
        before.state_dict().items(), model.state_dict().items()
    ):
        assert torch.equal(old, new), name
    for old, new in zip(before.parameters(), model.parameters()):
        assert old.requires_grad == new.requires_grad
    for gradient, old, parameter in zip(gradients, kept, model.parameters()):
        assert parameter.grad is gradient
        assert gradient is None or torch.equal(gradient, old)
    assert model.training
    assert not X.requires_grad
    loss.backward()
    assert model[3].weight.grad is not None
    assert not torch.equal(model[3].weight.grad, kept[-2])


def test_the_adversary_is_worse_than_random_directions():
    model, X = network(normalised=False), samples(50)
    torch.manual_seed(0)
    worst = float(VATLoss(xi=1e-3, eps=0.3, n_power=5)(model, X).detach())
    for _ in range(20):
        direction = torch.randn_like(X)
        direction *= 0.3 / direction.norm(dim=1, keepdim=True)
        assert worst > divergence(model(X), model(X + direction))


def test_the_adversary_of_a_linear_model_is_known():
    # Two clusters: the predictions depend on one direction, w, alone.
    model = nn.Linear(4, 2).double()
    X = samples()
    w = (model.weight[1] - model.weight[0]).detach()
    r = 0.7 * w / w.norm()
    torch.manual_seed(0)
    loss = VATLoss(xi=1e-4, eps=0.7, n_power=2)(model, X)
    far = [
        divergence(model(x[None]), model(x[None] + s * r)) for x in X for s in (1, -1)
    ]
    # Either sign has the same curvature.
    assert np.mean(np.minimum(far[::2], far[1::2])) <= float(loss.detach()) + 1e-12
    assert float(loss.detach()) <= np.mean(np.maximum(far[::2], far[1::2])) + 1e-12


def test_gradients_equal_finite_differences():
    model, X = network(normalised=False), samples(6)
    target = model(X).detach()
    weight = torch.arange(6.0)
    loss = ConsistencyLoss(lambda X: 1.1 * X + 0.2)

    def value(W):
        replaced = {"3.weight": W}
        run = lambda x: torch.func.functional_call(model, replaced, (x,))  # noqa: E731
        return loss(run, X, target, sample_weight=weight)

    W = model[3].weight.detach().clone().requires_grad_()
    assert torch.autograd.gradcheck(value, (W,))


@both
def test_the_prediction_itself_is_a_target(regulariser):
    model, X = network(normalised=False), samples()
    logits = model(X)
    torch.manual_seed(3)
    with_logits = regulariser(model, X, logits)
    torch.manual_seed(3)
    assert torch.equal(with_logits, regulariser(model, X))
    with_logits.backward()
    # No gradient through the logits: they are still to be differentiated.
    logits.sum().backward()


@both
def test_weights_repeat_samples(regulariser):
    model, X = network(normalised=False), samples(8)
    calls = []

    class Recorded(nn.Module):
        def forward(self, x):
            calls.append(x.detach())
            return model(x)

    weight = torch.tensor([2.0, 0, 1, 1, 3, 1, 1, 1], dtype=torch.float64)
    value = float(regulariser(Recorded(), X, sample_weight=weight).detach())
    p, q = model(X).softmax(-1), model(calls[-1]).softmax(-1)
    each = (p * (p / q).log()).sum(-1).detach().numpy()
    assert value == pytest.approx(np.repeat(each, weight.int()).mean(), rel=1e-10)


@both
def test_heads_have_values_of_their_own(regulariser):
    trunk, X = network(normalised=False), samples()
    heads = lambda x: (trunk(x).expand(2, -1, -1), 2 * trunk(x)[None])  # noqa: E731
    values = regulariser(heads, X)
    assert values.shape == (3,)
    assert torch.equal(values[0], values[1])
    assert values[2] > values[0]


@both
def test_reproducible_from_the_seed_and_under_no_grad(regulariser):
    model, X = network(), samples()
    values = []
    for _ in range(2):
        torch.manual_seed(5)
        with torch.no_grad():
            values.append(regulariser(model, X))
    assert torch.equal(*values)
    assert not values[0].requires_grad


@both
def test_images(regulariser):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten())
    value = regulariser(model, torch.randn(5, 1, 4, 4))
    assert value.ndim == 0
    assert value.isfinite()


def test_radii_are_a_quarter_of_the_distance_to_a_neighbour():
    X = samples(40)
    vat = VATLoss(eps="neighbours", n_neighbors=3).fit(X)
    distances = np.sort(pairwise_distances(X.numpy()), axis=1)[:, 3]
    np.testing.assert_allclose(vat.radii_, 0.25 * distances, rtol=1e-6)
    calls = []

    class Recorded(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = network(normalised=False)

        def forward(self, x):
            calls.append(x.detach())
            return self.inner(x)

    chosen = np.array([4, 30, 2])
    vat(Recorded(), X[chosen], indices=chosen)
    lengths = (calls[-1] - X[chosen]).norm(dim=1)
    np.testing.assert_allclose(lengths, 0.25 * distances[chosen], rtol=1e-6)
    vat(Recorded(), X[chosen])
    lengths = (calls[-1] - X[chosen]).norm(dim=1)
    np.testing.assert_allclose(lengths, 0.25 * distances.mean(), rtol=1e-6)


def test_constant_predictions_have_no_adversary():
    model = nn.Linear(4, 3).double()
    nn.init.zeros_(model.weight)
    loss = VATLoss()(model, samples())
    assert loss == 0
    loss.backward()
    assert model.weight.grad.isfinite().all()


@pytest.mark.parametrize(
    "make, error, message",
    [
        (lambda: VATLoss(xi=0.0), ValueError, "xi must be greater than 0"),
        (lambda: VATLoss(eps=-1.0), ValueError, "eps must be at least 0"),
        (
            lambda: VATLoss(eps="far"),
            ValueError,
            "eps must be a number or 'neighbours'",
        ),
        (lambda: VATLoss(n_power=0), ValueError, "n_power must be at least 1"),
        (lambda: VATLoss(n_neighbors=0), ValueError, "n_neighbors must be at least 1"),
        (lambda: ConsistencyLoss("flip"), TypeError, "augment must be callable"),
    ],
)
def test_bad_arguments(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_bad_calls():
    model, X = network(), samples(6)
    with pytest.raises(ValueError, match=r"call fit\(X\)"):
        VATLoss(eps="neighbours")(model, X)
    with pytest.raises(ValueError, match="more than n_neighbors=10 samples, got 6"):
        VATLoss(eps="neighbours").fit(X)
    with pytest.raises(ValueError, match=r"augment must return .* \(6, 4\), got"):
        ConsistencyLoss(lambda X: X[:3])(model, X)
