"""Minus a GEMINI as a loss of a network."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn

from gemclus.torch._bridge import (
    distances_of,
    evaluate_own,
    given_distances,
    wasserstein,
)
from gemclus.torch._fdivergences import FORMULAS
from gemclus.torch._house import Pairwise, Parameters, check_bool, check_float
from gemclus.torch._kernels import as_tensor, given_kernel, kernel_of
from gemclus.torch._mmd import dense, factored
from gemclus.torch._objective import make_objective
from gemclus.torch._rows import Rows, gather_rows, sharing_group


class GeminiLoss(nn.Module):
    r"""Minus a GEMINI of the outputs of a network, to be minimised.

    ``loss = -(GEMINI + balance * H(pi))``, with ``pi`` the mean of the
    probabilities over the batch and ``H`` the entropy.

    Parameters
    ----------
    objective : str or GEMINI, default="mi"
        A name of `gemclus.gemini.AVAILABLE_GEMINIS`; a family (``"kl"``, ``"tv"``,
        ``"hellinger"``, ``"chi2"``, ``"mmd"``, ``"wasserstein"``) with `ovo`; or an
        instance, whose parameters then stand in for `ovo`, `kernel`, `metric` and
        `epsilon`. A GEMINI of one's own is evaluated by NumPy, on the CPU.
    ovo : bool or None, default=None
        One-vs-one instead of one-vs-all. None follows the name, and is one-vs-all
        for a family.
    kernel : str or callable, default="linear"
        For MMD: a name of `sklearn.metrics.pairwise.kernel_metrics`,
        ``"precomputed"`` (the `affinity` of each call), or a callable ``k(X)`` that
        returns an (n, n) tensor or array.
    kernel_params : dict or None, default=None
        Arguments of the named kernel.
    metric : str or callable, default="euclidean"
        For Wasserstein: a name of `sklearn.metrics.pairwise.distance_metrics`,
        ``"precomputed"``, or a callable ``d(X)`` that returns an (n, n) array.
    balance : float, default=0.0
        Weight of the entropy of the proportions, which is largest for clusters of
        the same size.
    from_logits : bool, default=True
        Whether the outputs are logits; else they are probabilities.
    epsilon : float, default=1e-12
        Probabilities are clipped to ``[epsilon, 1 - epsilon]``, with no gradient
        where they are, as those of `gemclus.gemini`.
    metric_params : dict or None, default=None
        Arguments of the named metric.
    process_group : ProcessGroup, None or False, default=None
        The processes that share each batch. None is the default group of
        `torch.distributed`, where one is initialised; False is this process alone.

    Notes
    -----
    Cost for n rows: O(n K) for f-divergences (TV OvO: O(n K log K)), O(n K m) for
    MMD with the linear or cosine kernel of m features, O(n^2 K) with the others, in
    torch operations on any device; half precision is computed in float32. Exact
    Wasserstein, about O(n^2 log n) for each of K (OvA) or K (K - 1) / 2 (OvO)
    problems, runs on the CPU in float64, and has no second derivative.

    `X` and `affinity` are data: no gradient flows into them.

    In training mode with a process group, the loss is that of the batches of all
    processes together, and the mean of their gradients, which
    `DistributedDataParallel` takes, is its gradient. Objectives that are not sums
    over samples (other kernels, Wasserstein, one's own) gather the outputs and the
    `X` of all. In evaluation mode each process is by itself.

    References
    ----------
    Ohl et al., "Generalised mutual information for discriminative clustering",
    NeurIPS 2022.

    See Also
    --------
    TorchClustering : A clusterer that trains a network with this loss.
    gemclus.gemini : The same objectives on NumPy arrays.

    Examples
    --------
    >>> import torch
    >>> from gemclus.torch import GeminiLoss
    >>> logits = torch.tensor([[9.0, 0.0], [0.0, 9.0]], requires_grad=True)
    >>> loss = GeminiLoss("mi")(logits)
    >>> loss.backward()
    >>> round(loss.item(), 3)  # nearly - log 2
    -0.692
    """

    objective: Any
    balance: float
    from_logits: bool
    process_group: Any

    def __init__(
        self,
        objective: Any = "mi",
        *,
        ovo: bool | None = None,
        kernel: Any = "linear",
        kernel_params: Parameters = None,
        metric: Pairwise = "euclidean",
        balance: float = 0.0,
        from_logits: bool = True,
        epsilon: float = 1e-12,
        metric_params: Parameters = None,
        process_group: Any = None,
    ) -> None:
        super().__init__()
        self._objective = make_objective(
            objective, ovo, kernel, kernel_params, metric, metric_params, epsilon
        )
        self.objective = objective
        self.balance = check_float("balance", balance, 0.0)
        self.from_logits = check_bool("from_logits", from_logits)
        self.process_group = process_group

    def extra_repr(self) -> str:
        return f"{self.objective!r}, balance={self.balance:g}"

    def forward(
        self,
        logits: torch.Tensor,
        X: torch.Tensor | None = None,
        *,
        affinity: Any = None,
        sample_weight: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Evaluate the loss on a batch.

        Parameters
        ----------
        logits : tensor of shape (n, K) or (H, n, K)
            Outputs of the network, or of H heads.
        X : tensor or ndarray of shape (n, ...), default=None
            The samples, for MMD and Wasserstein; flattened beyond the first axis.
        affinity : tensor or ndarray of shape (n, n), default=None
            Their kernel or distances, instead of `X`; or an object of
            `gemclus.affinity`.
        sample_weight : tensor or ndarray of shape (n,), default=None
            Weights, not negative and not all zero; a common factor changes nothing.

        Returns
        -------
        loss : tensor of shape () or (H,)
            Minus the objective, of each head.

        Raises
        ------
        ValueError, TypeError
            If the shapes or types are not those, or the objective needs an `X` or
            `affinity` that is not there.
        """
        check_outputs(logits)
        if torch.is_autocast_enabled(logits.device.type):
            with torch.autocast(logits.device.type, enabled=False):
                return self._evaluate(logits, X, affinity, sample_weight)
        return self._evaluate(logits, X, affinity, sample_weight)

    def _evaluate(self, logits, X, affinity, sample_weight):
        if logits.dtype in (torch.float16, torch.bfloat16):
            logits = logits.float()
        objective = self._objective
        group = sharing_group(self.process_group) if self.training else None
        if objective.is_fdivergence:
            X = affinity = None
        else:
            X, affinity = self._check_data(logits, X, affinity)
        if sample_weight is not None:
            weight = check_weight(sample_weight, logits)
            logits, X, affinity, weight = _of_positive_weight(
                logits, X, affinity, weight
            )
        else:
            weight = None
        if group is not None and not objective.is_local:
            logits, X, weight = self._gather(logits, X, affinity, weight, group)
            group = None
        P, log_P = self._clipped(logits)
        rows = Rows(P, weight, group)
        pi = rows.mean(P).unsqueeze(-2)
        value = self._value(P, log_P, pi, rows, X, affinity)
        if self.balance:
            value = value - self.balance * (pi * pi.log()).sum((-2, -1))
        return -value

    def _clipped(self, outputs):
        """Probabilities within [epsilon, 1 - epsilon], and their logarithms."""
        epsilon = self._objective.epsilon
        # The least positive number of the dtype, where epsilon is below it.
        lowest = max(epsilon, torch.finfo(outputs.dtype).tiny) if epsilon else 0.0
        if not self.from_logits:
            P = outputs.clamp(lowest, 1.0 - epsilon)
            return P, P.log() if self._objective.family == "kl" else None
        log_P = outputs.log_softmax(-1)
        P = log_P.exp().clamp(lowest, 1.0 - epsilon)
        if self._objective.family != "kl":
            return P, None
        return P, log_P.clamp(math.log(lowest), math.log1p(-epsilon))

    def _value(self, P, log_P, pi, rows, X, affinity):
        objective = self._objective
        if objective.is_fdivergence:
            name = f"{objective.family}_{'ovo' if objective.ovo else 'ova'}"
            return FORMULAS[name](P, log_P, pi, rows)
        if objective.family is None:
            return evaluate_own(objective.own, P, X, affinity, rows.weight)
        if objective.family == "wasserstein":
            if affinity is None:
                affinity = distances_of(X, objective.affinity, objective.params)
            return wasserstein(P, affinity, rows.weight, objective.ovo)
        if affinity is None:
            Z, kappa = kernel_of(X, objective.affinity, objective.params)
        else:
            Z, kappa = affinity
        if Z is None:
            return dense(P, pi, kappa, rows, objective.ovo)
        return factored(P, pi, Z, rows, objective.ovo)

    def _check_data(self, logits, X, affinity):
        """`X` as (n, D), and `affinity` as the objective takes it."""
        objective, n = self._objective, logits.shape[-2]
        if X is not None and affinity is not None:
            raise ValueError("X and affinity must not both be given")
        if affinity is not None:
            shape = tuple(getattr(affinity, "shape", ()))
            if shape != (n, n):
                raise ValueError(f"affinity must have shape {(n, n)}, got {shape}")
            if objective.family == "mmd":
                return None, given_kernel(affinity, logits)
            if objective.family == "wasserstein":
                return None, given_distances(affinity)
            return None, affinity
        needs = objective.family is not None
        if objective.affinity == "precomputed" or (X is None and needs):
            raise ValueError(
                f"{self.objective!r} needs the samples X or their affinity, with "
                f"{objective.affinity!r}, got X={type(X).__name__}, affinity=None"
            )
        if X is None:
            return None, None
        X = as_tensor(X, logits)
        if X.ndim < 1 or X.shape[0] != n:
            raise ValueError(f"X must have {n} rows, as logits, got {tuple(X.shape)}")
        return X.reshape(n, -1), None

    def _gather(self, logits, X, affinity, weight, group):
        """The batches of all processes, for objectives that look at pairs."""
        if affinity is not None:
            raise ValueError(
                f"{self.objective!r} with processes that share a batch needs X: an "
                "affinity holds the samples of one process only"
            )
        weight = logits.new_ones(logits.shape[-2]) if weight is None else weight
        X = None if X is None else gather_rows(X, group)
        gathered = gather_rows(weight[:, None], group)[:, 0]
        weight = None if bool((gathered == 1).all()) else gathered
        return gather_rows(logits, group), X, weight


def check_outputs(logits, n_clusters=None):
    """Refuse what is not the (n, K) or (H, n, K) output of a network."""
    if not isinstance(logits, torch.Tensor) or not logits.is_floating_point():
        kind = getattr(logits, "dtype", type(logits).__name__)
        raise TypeError(f"logits must be a tensor of floating point, got {kind}")
    expected = "n_clusters" if n_clusters is None else n_clusters
    if (
        logits.ndim not in (2, 3)
        or 0 in logits.shape
        or (n_clusters is not None and logits.shape[-1] != n_clusters)
    ):
        raise ValueError(
            f"logits must have shape (n_samples, {expected}) or (n_heads, n_samples, "
            f"{expected}), got {tuple(logits.shape)}"
        )


def check_weight(weight, logits):
    """Weights of the rows as a tensor like `logits`."""
    weight = as_tensor(weight, logits)
    n = logits.shape[-2]
    if weight.shape != (n,):
        raise ValueError(
            f"sample_weight must have shape ({n},), as logits have {n} rows, got "
            f"{tuple(weight.shape)}"
        )
    if not bool((weight.isfinite() & (weight >= 0)).all()):
        raise ValueError("sample_weight must be finite and not negative")
    return weight


def _of_positive_weight(logits, X, affinity, weight):
    """Without the rows of weight 0, which may hold anything."""
    kept = weight > 0
    if bool(kept.all()):
        return logits, X, affinity, weight
    kept = kept.nonzero()[:, 0]
    if isinstance(affinity, tuple):
        Z, kappa = affinity
        affinity = (None if Z is None else Z[kept], kappa)
        if kappa is not None:
            affinity = (None, kappa[kept][:, kept])
    elif hasattr(affinity, "take") and hasattr(affinity, "is_metric"):
        affinity = affinity.take(kept.cpu().numpy())
    elif affinity is not None:
        rows = kept.cpu().numpy()
        affinity = affinity[rows][:, rows]
    X = None if X is None else X[kept]
    return logits[..., kept, :], X, affinity, weight[kept]
