"""
Select features by stability
============================

Five features hold three clusters, 95 others are noise (Celeux et al. 2014). The path
of a sparse model on all of the data keeps the five, but it would keep some features
where none matters, too. `StabilitySelection` runs paths on halves of the data: features
of the clusters come back on each of them, noise now and then. Writes
``stability_selection.png``.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import adjusted_rand_score
from sklearn.pipeline import make_pipeline

from gemclus.data import celeux_one
from gemclus.linear import LinearMMD
from gemclus.selection import StabilitySelection
from gemclus.sparse import SparseLinearMMD

X, classes = celeux_one(n=300, p=95, random_state=1)
sparse_model = SparseLinearMMD(3, random_state=0)

sparse_model.path(X)
print("kept by one path:    ", sparse_model.get_selection())

# %%
# Each path counts at its last step with at least 9 features, the square root of
# 0.8 times their number.
selector = StabilitySelection(sparse_model, n_resamples=20, random_state=0)

# %%
# In a pipeline the features selected go on to another model.
pipeline = make_pipeline(selector, LinearMMD(3, ovo=True, random_state=0))
labels = pipeline.fit_predict(X)
print("kept by stability:   ", selector.get_support(indices=True))
print(f"adjusted Rand index: {adjusted_rand_score(classes, labels):.3f}")

figure, axis = plt.subplots(figsize=(9, 3.4))
kept = selector.get_support()
axis.bar(np.arange(len(kept)), selector.frequencies_, color=np.where(kept, "C0", "0.6"))
axis.axhline(selector.threshold, color="C3", linewidth=1)
axis.set(
    xlabel="feature",
    ylabel="share of the halves",
    title="How often the path on half of the data keeps each feature",
)
figure.tight_layout()
figure.savefig("stability_selection.png", dpi=120)
print("wrote stability_selection.png")
