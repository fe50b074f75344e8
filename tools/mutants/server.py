"""Run pytest again and again in children that need not import everything.

Started by `checkout.Checkout` in the environment of the checkout, with the modules of
other packages that tests import as arguments. Each line of the standard input is the
JSON of ``[arguments, seconds]``, seconds of the processor; the answer is a line with
the JSON of ``[exit status or None after that time, output]``.
"""

import importlib
import json
import os
import resource
import signal
import sys
import tempfile
import time
import traceback

# Seconds of the clock for each of the processor: for tests that wait for ever.
_PATIENCE = 20.0


def child(arguments, seconds, output):
    """Be a process that runs pytest and ends."""
    # A group, not a session: Linux gives each session a share of its own, and what
    # runs in the background must not gain by it.
    os.setpgid(0, 0)
    if seconds is not None:
        resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 1,) * 2)
    null = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((null, 0), (output.fileno(), 1), (output.fileno(), 2)):
        os.dup2(source, target)
    import pytest

    status = 3
    try:
        status = int(pytest.main(arguments))
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(status)


def answer(arguments, seconds):
    """Run pytest in a child for some time at most."""
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        process = os.fork()
        if process == 0:
            child(arguments, seconds, output)
        patience = 1e9 if seconds is None else _PATIENCE * seconds
        end, status = time.monotonic() + patience, None
        while status is None and time.monotonic() < end:
            done, code = os.waitpid(process, os.WNOHANG)
            status = os.waitstatus_to_exitcode(code) if done else None
            time.sleep(0.02)
        if status is None:
            os.killpg(process, signal.SIGKILL)
            os.waitpid(process, 0)
        if status in (-signal.SIGXCPU, -signal.SIGKILL):
            status = None
        output.seek(0)
        return status, output.read()


def main():
    for name in sys.argv[1:]:
        importlib.import_module(name)
    for line in sys.stdin:
        print(json.dumps(answer(*json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
