import os
import sys

import matplotlib
from threadpoolctl import threadpool_limits

matplotlib.use("agg")
# Small products gain nothing from BLAS threads, and lose much on a busy machine.
threadpool_limits(1)
# Processes that tests start must not import the folder of the checkout, which
# lacks the compiled modules, in place of the installed package.
os.environ["PYTHONSAFEPATH"] = "1"
# dask, which some tools import, would take the folder tests/sparse for an optional
# package of that name.
sys.modules.setdefault("sparse", None)
