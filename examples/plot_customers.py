"""
Customers of mixed types, explained to a manager
================================================

A table of customers has numbers in different units, categories and gaps. One pipeline
prepares it and clusters it; two pictures tell the result in the units of the table:
the profile of each cluster, and the rules of a tree that follows the clusters. Writes
``customers_profile.png`` and ``customers_rules.png``.
"""

import io

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from gemclus.inspection import AssignmentDisplay, ClusterProfileDisplay
from gemclus.linear import LinearMMD
from gemclus.tree import Kauri, export_text, fidelity, plot_tree

random_state = np.random.RandomState(0)


def draw_customers(n):
    """A CSV of `n` customers of a telephone company, as text."""
    kind = random_state.choice(3, size=n, p=[0.5, 0.3, 0.2])
    plans = np.array(["prepaid", "family", "business"])
    noisy = np.where(
        random_state.uniform(size=n) < 0.85, kind, random_state.choice(3, n)
    )
    age = np.array([27, 45, 41])[kind] + random_state.normal(0, 6, n)
    age[random_state.uniform(size=n) < 0.05] = np.nan
    return pd.DataFrame(
        {
            "age": age.round(),
            "months": random_state.gamma(2, np.array([6, 24, 18])[kind]).round(),
            "bill": random_state.gamma(9, np.array([1.4, 5, 12])[kind]).round(2),
            "gigabytes": random_state.gamma(4, np.array([5, 3, 1.5])[kind]).round(1),
            "calls_abroad": random_state.poisson(np.array([0.5, 1, 12])[kind]),
            "plan": plans[noisy],
            "channel": random_state.choice(["shop", "web", "phone"], n),
        }
    ).to_csv(index=False)


customers = pd.read_csv(io.StringIO(draw_customers(2000)))
print(customers.head())

# %%
# Cluster. Amounts of money or time are skewed: their logarithms are not. Each value of
# a category becomes a column of zeros and ones.
logarithm = FunctionTransformer(
    np.log1p, inverse_func=np.expm1, feature_names_out="one-to-one"
)
prepare = make_column_transformer(
    (make_pipeline(logarithm, StandardScaler()), ["months", "bill", "calls_abroad"]),
    (
        make_pipeline(SimpleImputer(strategy="median"), StandardScaler()),
        ["age", "gigabytes"],
    ),
    (OneHotEncoder(), ["plan", "channel"]),
)
model = make_pipeline(prepare, LinearMMD(3, ovo=True, random_state=0))
clusters = model.fit_predict(customers)
print(pd.Series(clusters).value_counts().sort_index().to_string())

# %%
# Who are they? Medians in the units of the table, coloured by how far a cluster lies
# from all customers.
plans = pd.get_dummies(customers["plan"], prefix="plan", dtype=float)
table = customers.drop(columns=["plan", "channel"]).join(plans)
figure, axis = plt.subplots(figsize=(6.5, 4.2))
ClusterProfileDisplay.from_predictions(table, clusters, ax=axis)
figure.tight_layout()
figure.savefig("customers_profile.png", dpi=120)

# %%
# Which rules tell them apart? The tree sees the table as it is, with its gaps, the
# plans as columns, and follows the labels. `fidelity` says how far it can be trusted.
tree = Kauri(3, kernel="labels", max_leaves=4, random_state=0).fit(table, clusters)
report = fidelity(tree, table, clusters)
print(report)
print(export_text(tree, cluster_names=report.cluster_labels))
figure, axis = plt.subplots(figsize=(9, 4.5))
plot_tree(tree, cluster_names=report.cluster_labels, filled=True, rounded=True, ax=axis)
axis.set_title(f"The clusters by rules: {report.accuracy:.0%} of the customers")
figure.tight_layout()
figure.savefig("customers_rules.png", dpi=120)

# %%
# And who is in between? The model knows how sure it is.
figure, axis = plt.subplots(figsize=(7, 3.4))
AssignmentDisplay.from_estimator(model, customers, ax=axis)
unsure = (model.predict_proba(customers).max(axis=1) < 0.6).sum()
print(f"{unsure} customers are in between")
print("wrote customers_profile.png and customers_rules.png")
