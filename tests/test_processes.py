"""Models in forked and spawned workers, in threads, and under thread limits."""

import json
import multiprocessing
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from clusterers import ESTIMATORS, small
from joblib import Parallel, delayed
from sklearn.base import clone
from threadpoolctl import threadpool_limits

from gemclus.linear import LinearModel
from gemclus.tree import Kauri

every_estimator = pytest.mark.parametrize("cls", ESTIMATORS)
OBJECTIVES = ["mmd_ova", "wasserstein_ovo", "mi"]


@pytest.fixture(scope="module")
def X():
    rng = np.random.RandomState(0)
    return rng.normal(size=(300, 5)) + 2.0 * rng.randint(3, size=(300, 1))


def fitted_labels(model, X):
    return clone(model).fit(X).labels_


def small_models():
    models = [small(LinearModel, gemini=name, max_iter=5) for name in OBJECTIVES]
    return [*models, Kauri()]


every_model = pytest.mark.parametrize(
    "model", small_models(), ids=[*OBJECTIVES, "Kauri"]
)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@every_model
def test_forked_workers_fit_and_predict(model, X):
    expected = fitted_labels(model, X)  # the parent has used every kernel
    context = multiprocessing.get_context("fork")
    with context.Pool(2) as pool:
        results = pool.starmap_async(fitted_labels, [(model, X)] * 4).get(timeout=60)
        fitted = clone(model).fit(X)
        predictions = pool.map_async(fitted.predict, [X] * 4).get(timeout=60)
    for labels in [*results, *predictions]:
        np.testing.assert_array_equal(labels, expected)


@pytest.mark.parametrize("backend", ["loky", "threading"])
@every_model
def test_joblib_workers_fit(model, backend, X):
    expected = fitted_labels(model, X)
    with Parallel(n_jobs=2, backend=backend) as workers:
        # A method of the package: workers cannot import the functions of tests.
        fits = (delayed(clone(model).fit_predict)(X) for _ in range(4))
        for labels in workers(fits):
            np.testing.assert_array_equal(labels, expected)


@every_model
def test_results_do_not_depend_on_thread_limits(model, X):
    with threadpool_limits(1):
        alone = clone(model).fit(X)
    free = clone(model).fit(X)
    np.testing.assert_array_equal(alone.labels_, free.labels_)
    if hasattr(alone, "predict_proba"):
        # The matrix products of BLAS may round differently.
        np.testing.assert_allclose(
            alone.predict_proba(X), free.predict_proba(X), rtol=1e-9
        )


@every_estimator
def test_threads_share_a_model(cls, X):
    model = small(cls, max_iter=5).fit(X)
    method = getattr(model, "predict_proba", model.predict)
    # Categorical models know their training samples only: parts of them.
    parts = [X[start:] for start in range(0, 160, 5)]
    expected = [method(part) for part in parts]
    with ThreadPoolExecutor(8) as threads:
        for part, wanted in zip(threads.map(method, parts * 4), expected * 4):
            np.testing.assert_array_equal(part, wanted)


@every_model
def test_threads_fit_models_of_their_own(model, X):
    samples = [X[start:] for start in range(6)]
    expected = [fitted_labels(model, part) for part in samples]
    with ThreadPoolExecutor(6) as threads:
        results = threads.map(lambda part: fitted_labels(model, part), samples)
        for labels, wanted in zip(results, expected):
            np.testing.assert_array_equal(labels, wanted)


def run_python(code, **environment):
    command = [sys.executable, "-c", code]
    environment = os.environ | environment
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment)
    return json.loads(done.stdout)


def test_importing_adds_the_package_alone():
    """Neither a thread pool nor a library beside those of scikit-learn."""
    before, after = run_python(
        "import json, sys, sklearn.cluster, threadpoolctl\n"
        "def seen():\n"
        "    pools = [pool['filepath'] for pool in threadpoolctl.threadpool_info()]\n"
        "    return [sorted({n.split('.')[0] for n in sys.modules}), sorted(pools)]\n"
        "before = seen()\n"
        "import gemclus\n"
        "print(json.dumps([before, seen()]))\n"
    )
    added = set(after[0]) - set(before[0]) - sys.stdlib_module_names
    # Modules built by another Cython than scikit-learn's bring what they share, and
    # that of the first package leaves its name.
    shared = {name for name in added if name.startswith(("_cython_", "_cyutility"))}
    assert added - shared == {"gemclus"}
    assert after[1] == before[1]


def test_loading_leaves_the_processor_as_it_was():
    """Subnormal numbers stay: no library here switches them to zero."""
    code = "import gemclus, numpy as np; print(np.float64(5e-324) * 1.0 == 5e-324)"
    command = [sys.executable, "-c", code]
    assert subprocess.check_output(command, text=True).strip() == "True"
