"""The package of the same name on the registry, in an environment of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import _support.threads  # noqa: F401  workers inherit it

PEER = "gemclus==1.1.1"
_HERE = Path(__file__).resolve().parent


def add_peer_argument(parser):
    """The option that says where the other package is installed."""
    parser.add_argument(
        "--peer-python",
        metavar="PATH",
        help=f"Python of an environment with {PEER}; made in a cache folder without it",
    )


def peer_python(given=None):
    """A Python with the peer installed: the one given, or one made and kept."""
    if given is not None:
        return given
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    folder = cache / "gemclus-benchmarks" / PEER.replace("==", "-")
    python = folder / "bin" / "python"
    ready = folder / "ready"
    if not ready.exists():
        print(f"Installing {PEER} in {folder}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", PEER], check=True)
        ready.touch()
    return str(python)


class Worker:
    """A process that measures one package on request.

    Parameters
    ----------
    python : str
        The Python of its environment.
    """

    def __init__(self, python):
        self._process = subprocess.Popen(
            [python, "-m", f"{__package__}.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=_HERE.parent,
        )
        self.version = self._answer()["version"]

    def __call__(self, task, **arguments):
        self._process.stdin.write(json.dumps({"task": task, **arguments}) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self):
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(
                f"The worker ended with status {self._process.wait()}: is the package "
                "installed in its environment?"
            )
        return json.loads(line)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._process.stdin.close()
        self._process.terminate()
        self._process.wait()
