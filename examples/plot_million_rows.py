"""
A million rows
==============

1,000,000 x 30 numbers, clustered by all of them at once. The linear kernel never makes
an N x N array, so memory is that of the data and a few passes over them. The model
then labels one new row in microseconds by two small products, without the data. Writes
``million_rows.png``.
"""

import resource
import sys
import time

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import adjusted_rand_score

from gemclus.linear import LinearMMD

n_rows, n_features, n_clusters = 1_000_000, 30, 5
random_state = np.random.RandomState(0)
centres = 1.5 * random_state.normal(size=(n_clusters, n_features))
y = random_state.randint(n_clusters, size=n_rows)
X = centres[y]
X += random_state.normal(size=X.shape)

# %%
# One training on all rows. ``n_jobs`` would share the passes among threads, with the
# same result.
model = LinearMMD(n_clusters, ovo=True, random_state=0)
start = time.process_time()
model.fit(X)
seconds = time.process_time() - start
kibibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
gigabytes = kibibytes / (2**30 if sys.platform == "darwin" else 2**20)
print(f"{model.n_iter_} iterations, {seconds:.1f} s of CPU, {gigabytes:.2f} GB at most")
print(f"adjusted Rand index: {adjusted_rand_score(y, model.labels_):.4f}")

# %%
# New rows, one at a time, as a service would get them. `predict` checks its input;
# in a service of your own the two products are all there is.
W, b = model.coef_, model.intercept_
latencies = {"predict": [], "two products": []}
for row in random_state.normal(size=(500, 1, n_features)):
    start = time.perf_counter()
    label = model.predict(row)
    middle = time.perf_counter()
    by_hand = (row @ W.T + b).argmax(axis=1)
    end = time.perf_counter()
    assert label == by_hand
    latencies["predict"].append(1e6 * (middle - start))
    latencies["two products"].append(1e6 * (end - middle))
for name, times in latencies.items():
    print(f"{name}: {np.median(times):.0f} microseconds for one row (median)")

figure, axes = plt.subplots(1, 2, figsize=(10, 3.6))
some = random_state.choice(n_rows, 3000, replace=False)
logits = X[some] @ W.T + b
axes[0].scatter(logits[:, 0], logits[:, 1], c=model.labels_[some], cmap="viridis", s=4)
axes[0].set(xlabel="logit of cluster 0", ylabel="logit of cluster 1")
axes[0].set_title("3000 of the rows")
axes[1].boxplot(list(latencies.values()), orientation="horizontal", showfliers=False)
axes[1].set_yticks([1, 2], list(latencies))
axes[1].set(xlabel="microseconds", title="labelling one new row", xscale="log")
figure.tight_layout()
figure.savefig("million_rows.png", dpi=120)
print("wrote million_rows.png")
