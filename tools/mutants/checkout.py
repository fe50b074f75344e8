"""A checkout of its own in which one mutant after the other meets the tests."""

import json
import os
import re
import subprocess
import sys
import sysconfig
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

from mutants.sources import ROOT, statement_line

COMPILED = {".pyx", ".pxd", ".c", ".h"}

# The tests that know a room best: they come first, and for Cython and C they are all,
# unless the suite is asked for.
TESTS = {
    "_base": "test_base test_stopping test_batches test_values test_training",
    "_common": "common training/test_reports test_base test_pickles test_values "
    "linear mlp",
    "_core": "core/test_block_edges core properties/test_passes gemini/test_clipping",
    "_training": "test_stopping training test_batches test_values test_training",
    "affinity": "affinity training/test_start properties/test_steps gemini/test_mmd "
    "test_public_names",
    "constraints": "test_batches test_constraints test_values properties/test_models",
    "dask": "dask_room",
    "data": "data",
    "gemini": "gemini/test_clipping gemini/test_transport_edges gemini test_values",
    "linear": "linear training/test_blocks test_batches test_gradients test_values "
    "test_base",
    "mlp": "mlp training/test_blocks test_gradients test_values test_base",
    "nonparametric": "nonparametric test_batches test_gradients",
    "onnx": "onnx_room",
    "optim": "optim properties/test_steps test_batches test_public_names test_training",
    "penalties": "penalties properties/test_steps sparse",
    "sparse": "sparse test_gradients test_values",
    "testing": "test_testing",
    "torch": "torch_room",
    "tree": "tree properties/test_kauri test_gradients test_public_names",
    "src_c/passes": "gemini/test_fdivergences gemini/test_clipping core/test_softmax "
    "core/test_block_edges core/test_layers properties gemini/test_objectives "
    "gemini/test_weights gemini/test_blocks",
    "src_c/kauri": "tree/test_kauri_rounds tree/test_kauri tree/test_kauri_bins "
    "tree/test_kauri_weights tree/test_kauri_missing tree/test_kauri_size "
    "tree/test_kauri_state properties/test_kauri",
    "src_c/transport": "gemini/test_transport_edges gemini/test_wasserstein "
    "properties/test_objectives",
}
# Tests of everything at once, which say little of one line and take their time.
WHOLESALE = (
    "test_docs test_docs_browser test_estimator_checks test_examples test_processes "
    "test_release test_sweep test_tools"
).split()
# What takes the longest to import.
PRELOADED = (
    "pytest hypothesis numpy pandas matplotlib scipy.optimize scipy.stats scipy.sparse "
    "scipy.spatial sklearn.cluster sklearn.datasets sklearn.feature_selection "
    "sklearn.metrics sklearn.model_selection sklearn.pipeline sklearn.preprocessing "
    "sklearn.utils.estimator_checks joblib"
).split()
# Tests of a first run: each of another function, the quickest first, of few files.
_FIRST = 40
_FILES = 3


class Checkout:
    """A worktree with an editable install in an environment of its own.

    Parameters
    ----------
    folder : Path
        Where it is, and stays.
    limit : float
        Seconds of the processor that a run of tests may take beyond the fivefold of
        what it took without a mutant: what takes longer is killed, and so its mutant.
        A busy machine kills none.
    budget : float
        Seconds of tests, as measured, that the survivor of a first run meets of each
        kind: those of its room, and others that run its line. The quickest come first.
    """

    def __init__(self, folder, limit, budget):
        self.folder, self.limit, self.budget = folder, limit, budget
        self.tree, self.python = folder / "tree", folder / "env" / "bin" / "python"
        if not self.tree.exists():
            run("git", "worktree", "add", "--detach", self.tree, "HEAD", cwd=ROOT)
        head = run("git", "rev-parse", "HEAD", cwd=ROOT).stdout.strip()
        run("git", "checkout", "--force", "--detach", head, cwd=self.tree)
        if not self.python.exists():
            # The packages of the calling environment without its gemclus: path
            # files in a folder that a path file names are not read.
            run(sys.executable, "-m", "venv", "--without-pip", folder / "env")
            site = next((folder / "env").glob("lib/python*/site-packages"))
            (site / "outer.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
        install = ("install", "--no-build-isolation", "--no-deps", "-e", ".")
        run(self.python, "-m", "pip", *install, cwd=self.tree)
        self.build = next(self.tree.glob("build/*/build.ninja")).parent
        self._import_at_once()
        self.environment = os.environ | {
            "OPENBLAS_NUM_THREADS": "1",
            # To load them costs more than most tests.
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        }
        self._lines, self._seconds, self._server = {}, {}, None
        # Files with tests that are newer than the measure.
        self._unmeasured = []
        self._n_written = 0

    def _import_at_once(self):
        """Import the package from the tree, with links to what is compiled.

        An editable install looks at each import whether it must build, which takes
        longer than many tests; here that is known.
        """
        site = next((self.folder / "env").glob("lib/python*/site-packages"))
        for hook in site.glob("*editable*.pth"):
            hook.unlink()
        (site / "tree.pth").write_text(f"{self.tree.resolve()}\n")
        plan = self.build / "meson-info" / "intro-install_plan.json"
        plan = json.loads(plan.read_text())
        places = {file: to for kind in plan.values() for file, to in kind.items()}
        for file, to in places.items():
            if file.endswith(".so"):
                link = self.tree / to["destination"].partition("/")[2]
                link.unlink(missing_ok=True)
                link.symlink_to(file)

    def measure(self, rooms=None, with_lines=True):
        """Find out how long tests take, and which of them run which line of Python.

        Of all tests but the wholesale ones, or of those of some rooms. Exits if one
        fails on what is right.
        """
        options = [f"--junitxml={self.folder / 'times.xml'}"]
        options += [f"--ignore=tests/{name}.py" for name in WHOLESALE]
        if with_lines:
            options += ["-p", "pytest_cov", "--cov=gemclus", "--cov-branch"]
            options += ["--cov-context=test", "--cov-report="]
        paths = {path: 0 for room in rooms or () for path in self._paths(room)}
        status, output = self._pytest([*options, *(paths or ["tests"])], limit=None)
        (self.folder / "coverage").unlink(missing_ok=True)
        if status != "passed":
            sys.exit(f"The tests do not pass without a mutant: {output}")
        if with_lines:
            (self.tree / ".coverage").rename(self.folder / "coverage")
        head = run("git", "rev-parse", "HEAD", cwd=self.tree).stdout
        (self.folder / "measured").write_text(head)

    def read_measures(self):
        """Make what `measure` found known."""
        for case in ET.parse(self.folder / "times.xml").iter("testcase"):
            test = f"{case.get('classname').replace('.', '/')}.py::{case.get('name')}"
            self._seconds[test] = float(case.get("time"))
        measured = (self.folder / "measured").read_text().strip()
        changed = ("git", "diff", "--name-only", measured, "HEAD", "--", "tests")
        files = run(*changed, cwd=self.tree).stdout.split()
        files = [f for f in files if "/test_" in f and (self.tree / f).exists()]
        self._unmeasured = files

    def try_mutant(self, mutant, only=None, with_suite=True):
        """The fate of a mutant, and the test that decided it.

        Returns
        -------
        status : {"killed", "survived", "does not build"}
        what : str
        """
        path = self.tree / mutant.file
        before = path.read_text()
        self._write(path, mutant.applied(before))
        try:
            # This also undoes what the last mutant has left compiled.
            command = ["ninja", "-C", self.build]
            built = subprocess.run(command, capture_output=True, text=True)
            if built.returncode:
                return "does not build", built.stdout[-300:]
            for tests in [only] if only else self._tests(mutant, before, with_suite):
                usual = sum(self._seconds.get(test, 0.0) for test in tests)
                limit = None if tests == ["tests"] else self.limit + 5.0 * usual
                status, what = self._pytest(["-x", *tests], limit)
                if status != "passed":
                    return "killed", f"{status}: {what}"
            return "survived", ""
        finally:
            self._write(path, before)

    def _write(self, path, text):
        path.write_text(text)
        if path.suffix == ".py":
            # Another second each time, or Python takes what it compiled in this one.
            self._n_written += 1
            os.utime(path, (1e9 + self._n_written,) * 2)

    def _tests(self, mutant, source, with_suite):
        """Lists of tests to run one after the other."""
        paths = self._paths(mutant.room)
        covering = [t for t in self._covering(mutant, source) if t in self._seconds]
        known = covering or list(self._seconds)
        own = [test for test in known if test.startswith(tuple(paths))]
        runs = [self._quickest(own)]
        runs.append(self._affordable(own, runs))
        if covering:
            runs.append(self._affordable(covering, runs))
        measured = tuple(self._seconds)
        runs.append([p for p in paths if not any(t.startswith(p) for t in measured)])
        runs.append([f for f in self._unmeasured if f.startswith(tuple(paths))])
        if not known:
            runs = [paths]
        if with_suite:
            runs.append(["tests"])
        return [tests for tests in runs if tests]

    def _paths(self, room):
        """The files and folders with the tests of a room."""
        names = TESTS.get(room, f"{room} test_base").split()
        paths = [f"tests/{name}{end}" for name in names for end in (".py", "")]
        return [path for path in paths if (self.tree / path).exists()]

    def _affordable(self, tests, runs):
        """The quickest of the tests that no earlier run has, within the budget."""
        done, seconds, chosen = {test for run in runs for test in run}, 0.0, []
        for test in sorted(tests, key=self._cost):
            seconds += self._cost(test)
            if seconds > self.budget:
                break
            chosen.append(test)
        return [test for test in chosen if test not in done]

    def _cost(self, test):
        return self._seconds.get(test, 0.5)

    def _quickest(self, tests):
        """One test of each function, of the files that have the most of them."""
        by_function = {}
        for test in sorted(tests, key=self._cost):
            by_function.setdefault(test.partition("[")[0], test)
        files = Counter(function.partition("::")[0] for function in by_function)
        chosen = {file for file, _ in files.most_common(_FILES)}
        quick = [test for test in by_function.values() if test.split("::")[0] in chosen]
        return quick[:_FIRST]

    def _covering(self, mutant, source):
        """The tests that run the line of a mutant in Python."""
        if Path(mutant.file).suffix != ".py" or not (self.folder / "coverage").exists():
            return []
        path = str((self.tree / mutant.file).resolve())
        if path not in self._lines:
            from coverage import CoverageData

            data = CoverageData(str(self.folder / "coverage"))
            data.read()
            self._lines[path] = data.contexts_by_lineno(path)
        contexts = self._lines[path].get(statement_line(source, mutant.line), [])
        return sorted({c.rpartition("|")[0] for c in contexts if c.endswith("|run")})

    def _pytest(self, arguments, limit):
        """Run tests: "passed", "failed" or "timeout", and which failed first."""
        if self._server is None or self._server.poll() is not None:
            command = [self.python, "-P", ROOT / "tools/mutants/server.py", *PRELOADED]
            self._server = subprocess.Popen(
                command,
                cwd=self.tree,
                env=self.environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        arguments = [
            "-q",
            "--no-header",
            "--tb=no",
            "-p",
            "no:cacheprovider",
            *arguments,
        ]
        self._server.stdin.write(json.dumps([arguments, limit]) + "\n")
        self._server.stdin.flush()
        status, output = json.loads(self._server.stdout.readline())
        if status is None:
            return "timeout", f"{limit} s"
        if status == 0 or "ERROR: not found:" in output:  # a test since renamed
            return "passed", ""
        collected = "ERROR tests/" not in output  # a file that does not import
        if collected and status in (3, 4, 5):  # errors of pytest or its command line
            raise RuntimeError(output)
        failed = re.findall(r"^(?:FAILED|ERROR) (.+?)(?: - |$)", output, re.M)
        return "failed", failed[0] if failed else output.strip()[-200:]


def run(*command, cwd=None):
    """Run a command that must succeed."""
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
