"""
Select features among 200 by a path
===================================

Five features hold three clusters, 195 others are noise (Celeux et al. 2014). A sparse
model pays for each feature it uses; its `path` raises the price step by step, from all
features to two. The features that matter leave last. The model keeps the sparsest
step whose GEMINI is still 90 % of the best. Writes ``sparse_path.png``.
"""

import matplotlib.pyplot as plt
from sklearn.metrics import adjusted_rand_score

from gemclus.data import celeux_one
from gemclus.inspection import PathDisplay
from gemclus.sparse import SparseLinearMMD

X, y = celeux_one(n=300, p=195, mu=1.7, random_state=0)
model = SparseLinearMMD(3, ovo=True, random_state=0)
path = model.path(X, alpha_multiplier=1.1)
print(
    f"{len(path.alphas)} steps, alpha from {path.alphas[0]:g} to {path.alphas[-1]:.3g}"
)
print("kept:", model.get_selection())
print(f"adjusted Rand index: {adjusted_rand_score(y, model.predict(X)):.3f}")

# %%
# A sparse model is a selector: in a pipeline, `transform` hands the features that it
# kept to the next step.
print("shape of the selection:", model.transform(X).shape)

# %%
# The norm of each feature as its price rises, and what the clusters are worth.
figure, axis = plt.subplots(figsize=(9, 5))
PathDisplay.from_estimator(model, ax=axis)
figure.savefig("sparse_path.png", dpi=120)
print("wrote sparse_path.png")
