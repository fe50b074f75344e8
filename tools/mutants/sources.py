"""Sources of mutants: the tables beside this file, and cosmic-ray."""

import ast
import random
import re
from collections import defaultdict
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TABLES = Path(__file__).parent
# Packages without which the tests of a room are skipped.
NEEDS = {"dask": "dask", "onnx": "onnxruntime", "torch": "torch"}


@dataclass(frozen=True)
class Mutant:
    """One change of one place of one file.

    Attributes
    ----------
    line : int
        Where `find` begins, from 1.
    source : str
        "hand", or the operator of cosmic-ray.
    equivalent : str
        Why nobody could see it, if that is so.
    """

    file: str
    line: int
    find: str
    replace: str
    source: str
    equivalent: str = ""

    @property
    def room(self):
        """Such as "gemini", or "src_c/passes"."""
        parts = Path(self.file).with_suffix("").parts
        return parts[1] if parts[0] == "gemclus" else f"{parts[0]}/{parts[1]}"

    @property
    def key(self):
        return f"{self.file}: {self.find} => {self.replace} ({self.line})"

    def __str__(self):
        before, after = (" ".join(t.split()) for t in (self.find, self.replace))
        return f"{self.file}:{self.line}: {before}  =>  {after}"

    def applied(self, source):
        """`source` with the change made."""
        starts = [0, *(match.end() for match in re.finditer("\n", source))]
        at = source.index(self.find, starts[self.line - 1])
        return source[:at] + self.replace + source[at + len(self.find) :]


def hand_written():
    """The mutants of the tables, and a list of entries that fit no source."""
    mutants, stale = [], []
    for table in sorted(TABLES.glob("*.txt")):
        if table.stem == "equivalent":
            continue
        for file, entry, why in _entries(table):
            mutant = _placed(file, entry, why)
            if mutant is None:
                stale.append(f"{table.name}: {file}: {entry}")
            else:
                mutants.append(mutant)
    return mutants, stale


def _entries(table):
    """Triples (file, "code  =>  changed code", why it is equivalent)."""
    file = None
    for line in table.read_text().splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if not line.startswith(" "):
            file = line.strip()
            continue
        entry, _, why = line[4:].partition("  ;;  ")
        yield file, entry, why


def _placed(file, entry, why):
    path = ROOT / file
    source = path.read_text() if path.exists() else ""
    number = re.match(r"\[(\d)\] ", entry)
    find, changed = (part.replace(r"\n", "\n") for part in entry.split("  =>  "))
    find = find.removeprefix(number[0] if number else "")
    places = [match.start() for match in re.finditer(re.escape(find), source)]
    nth = int(number[1]) if number else 0
    if len(places) <= nth or (len(places) > 1 and not number):
        return None
    line = source.count("\n", 0, places[nth]) + 1
    return Mutant(file, line, find, changed, "hand", why)


def generated(number, seed):
    """A sample of what cosmic-ray makes of the Python files, spread over the rooms.

    One mutant at most for each place of the code.
    """
    from cosmic_ray import mutating
    from cosmic_ray.ast import ast_nodes, get_ast

    sites = defaultdict(list)
    for path in sorted((ROOT / "gemclus").rglob("*.py")):
        if path.name == "__init__.py":
            continue
        file, nodes = (
            str(path.relative_to(ROOT)),
            list(ast_nodes(get_ast(path.read_text()))),
        )
        room = Mutant(file, 0, "", "", "").room
        if find_spec(NEEDS.get(room, "numpy")) is None:
            continue
        for name, operator in _operators():
            spots = [s for node in nodes for s in operator.mutation_positions(node)]
            sites[room] += [(file, spot, name, i) for i, spot in enumerate(spots)]
    known = {
        (file, " ".join(entry.split())): why
        for file, entry, why in _entries(TABLES / "equivalent.txt")
    }
    operators, rng, mutants = dict(_operators()), random.Random(seed), []
    wanted = _shares({room: len(of_room) for room, of_room in sites.items()}, number)
    for room, of_room in sorted(sites.items()):
        rng.shuffle(of_room)
        taken = set()
        for file, spot, name, occurrence in of_room:
            if len(taken) == wanted[room]:
                break
            before = (ROOT / file).read_text()
            after = mutating.mutate_code(before, operators[name], occurrence)
            mutant = None
            if (file, spot) not in taken and after not in (None, before):
                mutant = _difference(file, before, after, name)
            if mutant is not None:
                taken.add((file, spot))
                entry = " ".join(f"{mutant}".split(": ", 1)[1].split())
                why = known.get((file, entry), "")
                mutants.append(replace(mutant, equivalent=why))
    return mutants


def _operators():
    """cosmic-ray's operators, without those whose mutants say nothing.

    An identity in place of an equality is the same or an error, as are operations on
    bits in place of arithmetic; a decorator is seen at import.
    """
    from cosmic_ray import plugins

    silly = (
        r"_Is|Is_|IsNot|Bit|Shift|_Mod|Mod_|Pow|FloorDiv$|Invert|Variable|Decorator"
        r"|ExceptionReplacer|UAdd"
    )
    names = [name for name in plugins.operator_names() if not re.search(silly, name)]
    return [(name.split("/")[1], plugins.get_operator(name)()) for name in names]


def _difference(file, before, after, operator):
    """The mutant of two texts; None in a signature, a message or a style."""
    old, new = before.splitlines(True), after.splitlines(True)
    head, tail = 0, 1
    while old[head] == new[head]:
        head += 1
    while old[-tail] == new[-tail] and tail < min(len(old), len(new)) - head:
        tail += 1
    lines = slice(head, len(old) - tail + 1)
    inside = _statement(before, head + 1)
    if isinstance(inside, (ast.FunctionDef, ast.ClassDef, ast.Import, ast.Raise)):
        return None
    find, changed = "".join(old[lines]), "".join(new[head : len(new) - tail + 1])
    if 'f"' in find or (isinstance(inside, ast.Expr) and "warn(" in find):
        return None
    if re.search(r"linewidth=|@dataclass|TYPE_CHECKING", find):
        return None
    return Mutant(file, head + 1, find, changed, operator)


def _statement(source, line):
    """The smallest statement that a line is part of."""
    around = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.stmt) and node.lineno <= line <= node.end_lineno
    ]
    return max(around, key=lambda node: (node.lineno, -node.end_lineno), default=None)


def statement_line(source, line):
    """The first line of the statement of a line, as coverage counts it."""
    statement = _statement(source, line)
    return line if statement is None else statement.lineno


def _shares(sizes, number):
    """So many mutants of each room: some of any, more of larger ones."""
    least = min(8, number // max(1, len(sizes)))
    rest = max(0, number - least * len(sizes))
    total = sum(sizes.values())
    return {room: least + round(rest * size / total) for room, size in sizes.items()}
