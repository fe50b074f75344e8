import os

import matplotlib
import numpy as np
import pytest
from threadpoolctl import threadpool_limits

matplotlib.use("agg")
# Small products gain nothing from BLAS threads, and lose much on a busy machine.
threadpool_limits(1)
# Processes that tests start must not import the folder of the checkout, which
# lacks the compiled modules, in place of the installed package.
os.environ["PYTHONSAFEPATH"] = "1"


@pytest.fixture(autouse=True)
def same_global_seed():
    """Seed what estimators without a seed draw from, as in scikit-learn's checks."""
    np.random.seed(0)
