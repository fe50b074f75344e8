"""Trainings and predictions on dask arrays and frames, which are never made whole.

There is nothing to call here: `fit`, `predict`, `predict_proba`, `transform` and
`score` of the models take dask collections. A training needs a model whose rows are
independent (see `gemclus.DiscriminativeModel`) and an objective that is a sum over
samples: the f-divergences, and the MMD of a kernel with a factor. It runs on the
workers of the active `distributed.Client`, each of which holds its blocks, or block by
block in this process without one. Nothing of dask is imported before a collection
comes.
"""

from gemclus.dask._fit import fit as fit
from gemclus.dask._fit import score as score
from gemclus.dask._predict import predict as predict
from gemclus.dask._predict import predict_proba as predict_proba

__all__ = []
