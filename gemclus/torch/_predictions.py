"""Predictions of a trained network for samples, new ones or not."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted
from torch import nn

from gemclus.torch._arguments import check_affinity, check_parameters, check_weight
from gemclus.torch._house import (
    ArrayLike,
    ClassNamePrefixFeaturesOutMixin,
    Floats,
    Integers,
    TransformerMixin,
    check_samples,
)
from gemclus.torch._network import device_of, dtype_of

# Samples of which predictions are made at a time, at least.
_PREDICTED_AT_ONCE = 1024


class PredictionMixin(ClassNamePrefixFeaturesOutMixin, TransformerMixin):
    """The methods and attributes of a fitted `TorchClustering` that predict."""

    module: Any
    n_clusters: int
    batch_size: int
    device: Any

    network_: nn.Module
    head_: int
    n_clusters_: int

    def predict_proba(self, X: Any) -> Floats:
        """Probability of each cluster.

        Parameters
        ----------
        X : array-like or tensor of shape (n, ...)
            Samples, new ones or not.

        Returns
        -------
        y_pred : ndarray of shape (n, K)
            ``p(y | x)``, rows summing to 1, by the network in evaluation mode.
        """
        check_is_fitted(self)
        X = self._check_samples(X, reset=False)
        return self._logits(X).softmax(-1).numpy()

    def predict(self, X: Any) -> Integers:
        """Most probable cluster of each sample.

        Parameters
        ----------
        X : array-like or tensor of shape (n, ...)
            Samples, new ones or not.

        Returns
        -------
        labels : ndarray of shape (n,)
            Clusters, from 0 to K - 1.
        """
        check_is_fitted(self)
        return self._logits(self._check_samples(X, reset=False)).argmax(-1).numpy()

    def transform(self, X: Any) -> Floats:
        """Probability of each cluster: the same as `predict_proba`.

        Parameters
        ----------
        X : array-like or tensor of shape (n, ...)
            Samples, new ones or not.

        Returns
        -------
        y_pred : ndarray of shape (n, K)
            ``p(y | x)``.
        """
        return self.predict_proba(X)

    def score(
        self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None
    ) -> float:
        """The objective on some samples, without `balance` and regularisers.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.

        Returns
        -------
        value : float
            The GEMINI; larger is better.
        """
        check_is_fitted(self)
        loss, _ = check_parameters(self)
        loss.balance = 0.0
        X = self._check_samples(X, reset=False)
        affinity = check_affinity(y, len(X), loss)
        weight = check_weight(sample_weight, len(X))
        samples = torch.from_numpy(X) if affinity is None else None
        value = loss.eval()(
            self._logits(X).double(), samples, affinity=affinity, sample_weight=weight
        )
        return -value.item()

    @property
    def module_(self) -> Any:
        """The trunk and the head that predicts: (n, ...) to logits (n, K)."""
        check_is_fitted(self)
        return self.network_.single(self.head_)

    @property
    def n_clusters_used_(self) -> int:
        """Number of clusters that have training samples."""
        check_is_fitted(self)
        return self.n_clusters_

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        # Predictions have the type of the module.
        tags.transformer_tags.preserves_dtype = []
        return tags

    @property
    def _n_features_out(self):
        return self.n_clusters

    def _check_samples(self, X, reset):
        """`X` as an array of the type of the module."""
        if isinstance(X, torch.Tensor):
            X = X.detach().cpu()
            X = (X.float() if X.dtype == torch.bfloat16 else X).numpy()
        narrow = torch.finfo(dtype_of(self.module)).bits <= 32
        X = check_samples(
            self,
            X,
            reset=reset,
            dtype=np.float32 if narrow else np.float64,
            order="C",
            allow_nd=True,
            ensure_min_samples=2 if reset else 1,
        )
        if reset:
            self._sample_shape = X.shape[1:]
        elif X.shape[1:] != self._sample_shape:
            raise ValueError(
                f"X must have samples of shape {self._sample_shape}, as in fit, got "
                f"{X.shape[1:]}"
            )
        return X if X.flags.writeable else X.copy()

    def _logits(self, X):
        """Logits of the head that predicts, by blocks, on the CPU."""
        device = device_of(self.device)
        network = self.network_.to(device).eval()
        samples = torch.from_numpy(X).to(dtype_of(network))
        step = max(self.batch_size, _PREDICTED_AT_ONCE)
        with torch.no_grad():
            parts = [
                self._of_head(network(part.to(device))).cpu()
                for part in samples.split(step)
            ]
        logits = torch.cat(parts)
        return logits if logits.dtype.itemsize >= 4 else logits.float()

    def _of_head(self, outputs):
        return outputs[0][self.head_] if isinstance(outputs, tuple) else outputs
