#!/usr/bin/env python3
"""Measure how sharply the tests tell wrong code from right.

    pip install cosmic-ray pytest-cov
    tools/mutate.py                     # every room
    tools/mutate.py --rooms optim tree  # some of them
    tools/mutate.py --resume            # go on with an interrupted run
    tools/mutate.py --resume --again --tests tests/optim  # survivors, new tests

A mutant is a small change that makes the code wrong. One after the other is put into
a checkout of its own, built if it is not Python, and run against the tests: for
Python those that run its line, for Cython and C those of its room, and with
``--suite`` all. Without it the rates err to the low side.
Rooms whose package (PyTorch, dask, onnx) is not installed are left out.
There are two kinds:

- written by hand in the tables ``tools/mutants/*.txt``, above all of Cython and C,
  which no kept tool mutates;
- made by the operators of cosmic-ray for Python, a sample with a fixed seed. It
  changes a file and not a copy of the package, as an editable install with compiled
  modules wants it; mutmut imports its copy, which has none.

Mutants that change nothing to be seen are argued for in the tables, and for the made
ones in ``tools/mutants/equivalent.txt``; they do not count.
"""

import argparse
import json
import os
import random
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path

from mutants.checkout import Checkout
from mutants.sources import ROOT, generated, hand_written


def report(mutants, results, stale):
    """Print kill rates by room, survivors and equivalents; return the rate of all."""
    counts = defaultdict(Counter)
    for mutant in mutants:
        if not (mutant.equivalent or mutant.key in results):
            continue
        status = "equivalent" if mutant.equivalent else results[mutant.key][0]
        counts[mutant.room][status] += 1
    total = sum(counts.values(), Counter())
    print("\n| room | mutants | equivalent | killed | survived | rate |")
    print("|---|---|---|---|---|---|")
    for room, count in [*sorted(counts.items()), ("all", total)]:
        killed, survived = count["killed"], count["survived"]
        tried = killed + survived + count["equivalent"]
        seen = killed + survived
        rate = f"{100 * killed / seen:.0f} %" if seen else "-"
        cells = [room, tried, count["equivalent"], killed, survived, rate]
        print("|", " | ".join(map(str, cells)), "|")
    lists = {
        "Survivors": [m for m in mutants if results.get(m.key, [""])[0] == "survived"],
        "Equivalent": [f"{m} ({m.equivalent})" for m in mutants if m.equivalent],
        "Do not build": [m for m in mutants if "not" in results.get(m.key, [""])[0]],
        "Entries that fit no source": stale,
    }
    for title, entries in lists.items():
        if entries:
            print(f"\n{title}:", *entries, sep="\n- ")
    return total["killed"] / max(1, total["killed"] + total["survived"])


def parsed():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rooms", nargs="+", help="such as gemini or src_c/kauri")
    parser.add_argument("--number", type=int, default=150, help="of cosmic-ray's")
    parser.add_argument("--every", type=int, default=1, help="n-th of the tables' only")
    parser.add_argument("--seed", type=int, default=0, help="of their sample")
    parser.add_argument("--tests", nargs="+", help="run these alone")
    parser.add_argument("--unmeasured", action="store_true", help="without coverage")
    parser.add_argument("--suite", action="store_true", help="survivors meet all tests")
    parser.add_argument("--no-hand", action="store_true", help="only cosmic-ray's")
    parser.add_argument("--limit", type=int, default=30, help="seconds of a processor")
    parser.add_argument("--budget", type=int, default=20, help="seconds of more tests")
    parser.add_argument("--again", action="store_true", help="try survivors again")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "mutants")
    parser.add_argument("--resume", action="store_true", help="keep earlier results")
    parser.add_argument("--list", action="store_true", help="list the mutants only")
    parser.add_argument("--report", action="store_true", help="of earlier results only")
    parser.add_argument("--at-least", type=float, default=0.0, help="fail below a rate")
    return parser.parse_args()


def main():
    options = parsed()
    mutants, stale = ([], []) if options.no_hand else hand_written()
    mutants = mutants[:: options.every]
    mutants += generated(options.number, options.seed) if options.number else []
    if options.rooms:
        mutants = [mutant for mutant in mutants if mutant.room in options.rooms]
    if options.list:
        print(*mutants, *stale, sep="\n")
        return 0
    os.nice(10)
    options.folder.mkdir(parents=True, exist_ok=True)
    log = options.folder / "results.jsonl"
    if not (options.resume or options.report):
        log.unlink(missing_ok=True)
    lines = log.read_text().splitlines() if log.exists() else []
    results = {key: what for key, *what in map(json.loads, lines)}

    def is_wanted(mutant):
        status = results.get(mutant.key, ["untried"])[0]
        wanted = "survived" if options.again else "untried"
        return not mutant.equivalent and status == wanted

    untried = [mutant for mutant in mutants if is_wanted(mutant)]
    untried = in_turn(untried, options.seed)
    if untried and not options.report:
        try_all(untried, results, log, options)
    return int(report(mutants, results, stale) < options.at_least)


def in_turn(mutants, seed):
    """In any order, but a mutant of each room in turn.

    What an interrupted run has tried is a fair part of each.
    """
    random.Random(seed).shuffle(mutants)
    rounds, counts = {}, Counter()
    for mutant in mutants:
        rounds[mutant.key] = counts[mutant.room]
        counts[mutant.room] += 1
    return sorted(mutants, key=lambda mutant: rounds[mutant.key])


def try_all(mutants, results, log, options):
    """Try mutants that have no result, and note each result at once."""
    checkout = Checkout(options.folder, options.limit, options.budget)
    if not options.tests and not options.unmeasured:
        if not (options.resume and (options.folder / "times.xml").exists()):
            of_python = any(mutant.file.endswith(".py") for mutant in mutants)
            checkout.measure(options.rooms, of_python)
    if (options.folder / "times.xml").exists():
        checkout.read_measures()
    for i, mutant in enumerate(mutants):
        start = time.monotonic()
        what = checkout.try_mutant(mutant, options.tests, options.suite)
        results[mutant.key] = list(what)
        with log.open("a") as file:
            file.write(json.dumps([mutant.key, *what]) + "\n")
        took = f"{time.monotonic() - start:.0f} s"
        print(f"{i + 1}/{len(mutants)}", *what, took, mutant, sep=" | ", flush=True)


if __name__ == "__main__":
    sys.exit(main())
