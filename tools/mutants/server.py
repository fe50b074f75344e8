"""Run pytest again and again in children that need not import everything.

Started by `checkout.Checkout` in the environment of the checkout, with the modules of
other packages that tests import as arguments. Each line of the standard input is the
JSON of ``[arguments, seconds]``; the answer is a line with the JSON of
``[exit status or None after that time, output]``.
"""

import importlib
import json
import os
import signal
import sys
import tempfile
import time
import traceback


def child(arguments, output):
    """Be a process that runs pytest and ends."""
    os.setsid()
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
            child(arguments, output)
        end, status = time.monotonic() + (seconds or 1e9), None
        while status is None and time.monotonic() < end:
            done, code = os.waitpid(process, os.WNOHANG)
            status = os.waitstatus_to_exitcode(code) if done else None
            time.sleep(0.02)
        if status is None:
            os.killpg(process, signal.SIGKILL)
            os.waitpid(process, 0)
        output.seek(0)
        return status, output.read()


def main():
    for name in sys.argv[1:]:
        importlib.import_module(name)
    for line in sys.stdin:
        print(json.dumps(answer(*json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
