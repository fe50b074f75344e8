import os

import matplotlib
from threadpoolctl import threadpool_limits

matplotlib.use("agg")
# Small products gain nothing from BLAS threads, and lose much on a busy machine.
threadpool_limits(1)
# Processes that tests start must not import the folder of the checkout, which
# lacks the compiled modules, in place of the installed package.
os.environ["PYTHONSAFEPATH"] = "1"
