"""The estimators that the tests of all models run over.

A line here is all that a new model needs to join them; `test_tables` says where one is
missing. A row may set any parameter.
"""

from gemclus import linear, mlp, nonparametric, sparse, tree
from gemclus.gemini._registry import GEMINIS

# The solver and the start of the published runs, for tests of single steps, of whole
# epochs and of published values.
PUBLISHED = {"solver": "adam", "init": "random"}

# Models with a gradient -> arguments that keep the tests small and the
# predictions away from 0 and 1.
GRADIENT_MODELS = {
    linear.LinearModel: {},
    linear.LinearMMD: {},
    linear.LinearWasserstein: {},
    linear.RIM: {"reg": 0.01},
    linear.KernelRIM: {"reg": 0.01, "base_kernel": "rbf"},
    mlp.MLPModel: {"n_hidden_dim": 5},
    mlp.MLPMMD: {"n_hidden_dim": 5, "ovo": True},
    mlp.MLPWasserstein: {"n_hidden_dim": 5},
    nonparametric.CategoricalModel: {},
    nonparametric.CategoricalMMD: {"kernel": "rbf"},
    nonparametric.CategoricalWasserstein: {"ovo": True},
    sparse.SparseLinearModel: {},
    sparse.SparseLinearMMD: {"ovo": True},
    sparse.SparseLinearMI: {},
    sparse.SparseMLPModel: {"n_hidden_dim": 5},
    sparse.SparseMLPMMD: {"n_hidden_dim": 5, "ovo": True},
    tree.Douglas: {"n_cuts": 2, "temperature": 0.7},
}

# Estimators without one -> arguments.
OTHER_ESTIMATORS = {
    tree.Kauri: {},
}

# Instances for scikit-learn's checks.
CHECKED_ESTIMATORS = [
    cls(**row) for cls, row in (GRADIENT_MODELS | OTHER_ESTIMATORS).items()
]


def gradient_cases():
    """Pairs (class, gemini): a name for models that take any, else None."""
    for cls in GRADIENT_MODELS:
        takes_gemini = "gemini" in cls().get_params()
        for gemini in GEMINIS if takes_gemini else [None]:
            yield cls, gemini


def make_gradient_model(cls, gemini=None, **arguments):
    """A small model for a case of `gradient_cases`."""
    if gemini is not None:
        arguments["gemini"] = gemini
    settings = {"n_clusters": 3} | PUBLISHED | GRADIENT_MODELS[cls]
    return cls(**(settings | arguments))
