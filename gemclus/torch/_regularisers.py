"""Losses that keep predictions constant where clusters should not change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import torch
from sklearn.neighbors import NearestNeighbors
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from gemclus.torch._house import check_float, check_int

# Of the distance to the chosen neighbour, how far an adversary goes: the value of
# the paper on information-maximising self-augmented training.
_PART_OF_DISTANCE = 0.25


class VATLoss(nn.Module):
    r"""Virtual adversarial training: predictions are constant near each sample.

    The mean of ``KL(p(y | x) || p(y | x + r))``, with ``r`` of length `eps` in the
    direction that changes the predictions most. The prediction at ``x`` is a
    target, which no gradient flows into.

    Parameters
    ----------
    xi : float, default=10.0
        Length of the step by which a direction is found.
    eps : float or "neighbours", default=1.0
        Length of ``r``. ``"neighbours"`` takes a quarter of the distance between a
        sample and its neighbour number `n_neighbors`, which `fit` computes.
    n_power : int, default=1
        Power iterations that find a direction, one forward and backward pass each.
    n_neighbors : int, default=10
        Which neighbour, for ``eps="neighbours"``.

    Attributes
    ----------
    radii_ : tensor of shape (N,)
        Length of ``r`` for each sample given to `fit`, for ``eps="neighbours"``.

    Notes
    -----
    Cost: ``1 + n_power`` forward passes, and `n_power` backward passes to the input
    alone. Parameters, their accumulated gradients and whether they require one stay
    as they are, and so do buffers, such as the running statistics of batch
    normalisation.

    References
    ----------
    Miyato et al., "Virtual adversarial training", IEEE TPAMI 41 (2019).
    Hu et al., "Learning discrete representations via information maximizing
    self-augmented training", ICML 2017.

    See Also
    --------
    ConsistencyLoss : The same under a transformation of one's own.

    Examples
    --------
    >>> import torch
    >>> from gemclus.torch import VATLoss
    >>> _ = torch.manual_seed(0)
    >>> network = torch.nn.Linear(2, 3)
    >>> X = torch.randn(5, 2)
    >>> bool(VATLoss(eps=0.5)(network, X) > 0)
    True
    """

    xi: float
    eps: float | str
    n_power: int
    n_neighbors: int
    radii_: torch.Tensor | None

    def __init__(
        self,
        xi: float = 10.0,
        eps: float | str = 1.0,
        n_power: int = 1,
        *,
        n_neighbors: int = 10,
    ) -> None:
        super().__init__()
        self.xi = check_float("xi", xi, 0.0, strict=True)
        if isinstance(eps, str):
            if eps != "neighbours":
                raise ValueError(f"eps must be a number or 'neighbours', got {eps!r}")
        else:
            eps = check_float("eps", eps, 0.0)
        self.eps = eps
        self.n_power = check_int("n_power", n_power, 1)
        self.n_neighbors = check_int("n_neighbors", n_neighbors, 1)
        self.register_buffer("radii_", None, persistent=False)

    def extra_repr(self) -> str:
        return f"xi={self.xi:g}, eps={self.eps!r}, n_power={self.n_power}"

    def fit(self, X: Any) -> Self:
        """Find the radii of the samples that training draws its batches from.

        Parameters
        ----------
        X : array-like of shape (N, ...)
            The samples; flattened beyond the first axis.

        Returns
        -------
        self : VATLoss
            Unchanged unless ``eps="neighbours"``, which costs O(N^2 D) at most and
            O(N) memory.
        """
        if self.eps != "neighbours":
            return self
        X = torch.as_tensor(X).detach().cpu()
        flat = X.reshape(len(X), -1)
        flat = (flat if flat.dtype.itemsize >= 4 else flat.float()).numpy()
        if len(flat) <= self.n_neighbors:
            raise ValueError(
                f"eps='neighbours' needs more than n_neighbors={self.n_neighbors} "
                f"samples, got {len(flat)}"
            )
        search = NearestNeighbors(n_neighbors=self.n_neighbors).fit(flat)
        distances, _ = search.kneighbors()
        radii = torch.from_numpy(_PART_OF_DISTANCE * distances[:, -1])
        self.radii_ = radii.to(torch.get_default_dtype())
        return self

    def forward(
        self,
        module: Callable[[torch.Tensor], torch.Tensor],
        X: torch.Tensor,
        logits: torch.Tensor | None = None,
        *,
        sample_weight: torch.Tensor | None = None,
        indices: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Evaluate the loss on a batch.

        Parameters
        ----------
        module : nn.Module or callable
            The network: (n, ...) to logits (n, K), or to a tuple of stacks of heads
            (H, n, K).
        X : tensor of shape (n, ...)
            The samples.
        logits : tensor, or tuple of tensors, default=None
            ``module(X)``, where it is known already.
        sample_weight : tensor of shape (n,), default=None
            Weights of the samples.
        indices : tensor or ndarray of shape (n,), default=None
            Positions of the samples in the data given to `fit`. Without them,
            ``eps="neighbours"`` takes the mean radius.

        Returns
        -------
        loss : tensor of shape () or (H,)
            One value for logits (n, K); for a tuple, one for each head, in order.
        """
        radii = self._radii(X, indices)
        run = apart(module)
        with torch.no_grad():
            target = _detached(run(X) if logits is None else logits)
        direction = _unit(torch.randn_like(X))
        for _ in range(self.n_power):
            with torch.enable_grad():
                direction.requires_grad_()
                change = _divergence(target, run(X.detach() + self.xi * direction))
                (direction,) = torch.autograd.grad(change.sum(), direction)
            direction = _unit(direction.detach())
        return _divergence(target, run(X.detach() + radii * direction), sample_weight)

    def _radii(self, X, indices):
        """Length of ``r`` of each sample of a batch, as it multiplies a direction."""
        if self.eps != "neighbours":
            return self.eps
        if self.radii_ is None:
            raise ValueError("eps='neighbours' needs the samples first: call fit(X)")
        if indices is None:
            return float(self.radii_.mean())
        positions = torch.as_tensor(indices, device=self.radii_.device)
        radii = self.radii_[positions].to(X)
        return radii.reshape(-1, *[1] * (X.ndim - 1))


class ConsistencyLoss(nn.Module):
    r"""Predictions are constant under a transformation of the samples.

    The mean of ``KL(p(y | x) || p(y | augment(x)))``. The prediction at ``x`` is a
    target, which no gradient flows into.

    Parameters
    ----------
    augment : callable
        ``augment(X)`` returns a transformed batch of the same shape, at random.
        Random numbers of torch make it reproducible from a seed.

    Notes
    -----
    Cost: one forward pass, and that of `augment`. Buffers of the network stay as
    they are.

    See Also
    --------
    VATLoss : The same under the worst small shift.

    Examples
    --------
    >>> import torch
    >>> from gemclus.torch import ConsistencyLoss
    >>> _ = torch.manual_seed(0)
    >>> network = torch.nn.Linear(2, 3)
    >>> loss = ConsistencyLoss(lambda X: X + 0.1 * torch.randn_like(X))
    >>> bool(loss(network, torch.randn(5, 2)) > 0)
    True
    """

    augment: Callable[[torch.Tensor], torch.Tensor]

    def __init__(self, augment: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        if not callable(augment):
            raise TypeError(f"augment must be callable, got {augment!r}")
        self.augment = augment

    def forward(
        self,
        module: Callable[[torch.Tensor], torch.Tensor],
        X: torch.Tensor,
        logits: torch.Tensor | None = None,
        *,
        sample_weight: torch.Tensor | None = None,
        indices: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Evaluate the loss on a batch.

        Parameters
        ----------
        module, X, logits, sample_weight
            As in `VATLoss.forward`.
        indices : object, default=None
            Ignored.

        Returns
        -------
        loss : tensor of shape () or (H,)
            One value for logits (n, K); for a tuple, one for each head, in order.
        """
        run = apart(module)
        with torch.no_grad():
            target = _detached(run(X) if logits is None else logits)
        moved = self.augment(X)
        if getattr(moved, "shape", None) != X.shape:
            came = getattr(moved, "shape", type(moved).__name__)
            raise ValueError(
                f"augment must return a tensor of shape {tuple(X.shape)}, got {came}"
            )
        return _divergence(target, run(moved), sample_weight)


def apart(module):
    """`module` as a function that leaves its buffers as they are.

    The module that `DistributedDataParallel` wraps is run by itself: gradients
    still reach its parameters, and no communication begins.
    """
    while isinstance(module, DistributedDataParallel):
        module = module.module
    if not isinstance(module, nn.Module):
        return module

    def run(X):
        copies = {name: buffer.clone() for name, buffer in module.named_buffers()}
        return torch.func.functional_call(module, copies, (X,))

    return run


def _detached(outputs):
    if isinstance(outputs, tuple):
        return tuple(logits.detach() for logits in outputs)
    return outputs.detach()


def _divergence(target, outputs, weight=None):
    """Mean over the samples of ``KL(softmax(target) || softmax(outputs))``."""
    if isinstance(target, tuple):
        pairs = zip(target, outputs, strict=True)
        return torch.cat([_divergence(p, q, weight).reshape(-1) for p, q in pairs])
    log_p, log_q = target.log_softmax(-1), outputs.log_softmax(-1)
    values = (log_p.exp() * (log_p - log_q)).sum(-1)
    if weight is None:
        return values.mean(-1)
    weight = torch.as_tensor(weight).to(values)
    return (values * weight).sum(-1) / weight.sum()


def _unit(direction):
    """Each sample of a batch at length 1; zeros stay."""
    flat = direction.flatten(1)
    norms = flat.norm(dim=1, keepdim=True).clamp_min(torch.finfo(flat.dtype).tiny)
    return (flat / norms).reshape(direction.shape)
