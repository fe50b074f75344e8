"""
Text: sparse matrices stay sparse
=================================

The documentation of four modules of SciPy, some hundreds of texts, as TF-IDF: thousands
of columns, nearly all of them empty. They have five topics: the distributions of
``scipy.stats`` are written after a pattern of their own. A linear model takes the CSR
matrix as it is and never makes it dense. The objective is the MMD with a linear kernel,
which for rows of length 1 is the cosine. The weights say which words make a cluster.
Writes ``text.png``.
"""

import inspect

import matplotlib.pyplot as plt
import numpy as np
import scipy.linalg
import scipy.ndimage
import scipy.signal
import scipy.stats
from sklearn.cluster import KMeans
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import adjusted_rand_score

from gemclus.linear import LinearMMD

modules = [scipy.linalg, scipy.ndimage, scipy.signal, scipy.stats]
texts, topic = [], []
for number, module in enumerate(modules):
    for name in module.__all__:
        text = inspect.getdoc(getattr(module, name)) or ""
        if len(text) > 200 and not inspect.ismodule(getattr(module, name)):
            texts.append(text)
            is_law = hasattr(getattr(module, name), "logpdf")
            topic.append(4 if is_law else number)
topic = np.array(topic)
topics = ["linalg", "ndimage", "signal", "stats", "distributions"]

# %%
# Words of letters only, in at least five and at most half of the texts.
vectorizer = TfidfVectorizer(
    token_pattern=r"[a-z]{3,}",
    min_df=5,
    max_df=0.5,
    stop_words="english",
    sublinear_tf=True,
)
X = vectorizer.fit_transform(texts)
words = vectorizer.get_feature_names_out()
full = X.nnz / (X.shape[0] * X.shape[1])
print(f"{X.shape[0]} texts, {X.shape[1]} words, {full:.1%} of the matrix not zero")

model = LinearMMD(5, ovo=True, n_init=5, random_state=0)
labels = model.fit_predict(X)
kmeans = KMeans(5, n_init=10, random_state=0).fit_predict(X)
print("agreement with the topics (adjusted Rand index)")
print(f"LinearMMD {adjusted_rand_score(topic, labels):.3f}")
print(f"KMeans    {adjusted_rand_score(topic, kmeans):.3f}")

# %%
# The words with the largest weights, and the topic of most of each cluster's texts.
figure, axes = plt.subplots(1, 5, figsize=(15, 4))
for k, axis in enumerate(axes):
    weights = model.W_[:, k] - model.W_.mean(axis=1)
    top = np.argsort(weights)[-12:]
    axis.barh(words[top], weights[top], color=plt.get_cmap("viridis")(k / 4.5))
    counts = np.bincount(topic[labels == k], minlength=5)
    first = counts.argmax()
    title = f"{topics[first]}: {counts[first]} of {counts.sum()}"
    axis.set_title(title, size=10)
    axis.set_xticks([])
    print(f"cluster {k}: {title}; {', '.join(words[top[::-1][:6]])}")
figure.tight_layout()
figure.savefig("text.png", dpi=120)
print("wrote text.png")
