"""Time that `import gemclus` adds to `import sklearn.cluster`, in new processes.

See README.md for what is measured and how to run it.
"""

import argparse
import subprocess
import sys

from _support.tables import table

FLOOR = 0.1  # seconds
CODE = """
import sklearn.cluster, sys, time
before, wall, cpu = set(sys.modules), time.perf_counter(), time.process_time()
import gemclus
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
added = set(sys.modules) - before
print(wall, cpu, sum(name.startswith("gemclus") for name in added), len(added))
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=15)
    options = parser.parse_args()
    command = [sys.executable, "-c", CODE]
    subprocess.check_output(command)  # writes the byte code
    runs = sorted(
        [float(part) for part in subprocess.check_output(command, text=True).split()]
        for _ in range(options.repeats)
    )
    rows = []
    for name, run in ("fastest", runs[0]), ("median", runs[len(runs) // 2]):
        wall, cpu, own, modules = run
        verdict = f"{FLOOR} s {'met' if wall <= FLOOR else 'NOT MET'}"
        counts = f"{own:.0f} of {modules:.0f}"
        rows.append([name, f"{wall:.3f}", f"{cpu:.3f}", counts, verdict])
    table("run, wall (s), CPU (s), modules of the package, at most", rows)


if __name__ == "__main__":
    main()
