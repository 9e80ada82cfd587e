#!/usr/bin/env python3
"""Checks the arrows between the folders, and draws them.

A folder's files are included only from the folder itself and from those on higher floors. A public header stands at the
root of autograd, nn or optim and belongs to the folder of the source that implements it.
Usage: scripts/architecture.py [--svg FILE]   (prints the floors; fails if an include climbs one, if files of several
folders or more than three files include each other in a circle, or if a public header includes a private one of which it
uses nothing)
"""
import argparse
import collections
import pathlib
import re
import sys

# From the ground up. Folders of one floor know nothing of each other.
FLOORS = [
    {"autograd/support": "errors, dtypes, files, the operating system"},
    {"autograd/memory": "the pool that arrays and nodes live in"},
    {"autograd/kernels": "loops over numbers for each instruction set, and threads"},
    {"autograd/core": "tensors, nodes and how an op records one"},
    {"autograd/ops": "every op with its derivative",
     "autograd/capture": "steps that are captured and replayed",
     "autograd/observers": "traces, anomalies, the profiler"},
    {"autograd/backward": "the sweep over the graph",
     "autograd/linalg": "factors of matrices, by LAPACK"},
    {"autograd/transforms": "vjp, jvp, hessian, checkpoint"},
    {"autograd/fused": "users' kernels in one pass",
     "autograd/xtensor": "tensors from and to xtensor",
     "autograd/picture": "graphs as SVG and DOT"},
    {"autograd/explain": "each gradient, step by step",
     "autograd/gradcheck": "gradients against differences"},
    {"optim/optimizers": "rules that change parameters",
     "nn/modules": "what a model is made of",
     "nn/data": "data sets, readers, loaders"},
    {"optim/schedules": "learning rates over time",
     "nn/losses": "losses",
     "nn/transforms": "gradients of whole models",
     "nn/io": "weight files"},
    {"nn/layers": "layers and initialisers"},
    {"nn/training": "training loops and what they report"},
]
# Public headers that no source of the same name implements.
HEADERS_ONLY = {
    "autograd/grad_mode": "autograd/core",
    "autograd/observer": "autograd/core",
    "autograd/ops": "autograd/ops",
    "autograd/sequences": "autograd/ops",
    "autograd/fused": "autograd/fused",
    "autograd/xtensor": "autograd/xtensor",
    "autograd/chart": "autograd/picture",
    "autograd/picture": "autograd/picture",
    "autograd/gradcheck": "autograd/gradcheck",
    "autograd/linalg": "autograd/linalg",
    "optim/schedules": "optim/schedules",
    "nn/activations": "nn/layers",
    "nn/losses": "nn/losses",
}
# Public headers that are parts of another one, which includes them: they count as one with it.
PARTS = {
    "autograd/activations": "autograd/ops",
    "autograd/images": "autograd/ops",
    "autograd/indexing": "autograd/ops",
    "autograd/normalisation": "autograd/ops",
}
UMBRELLAS = {"xgrad.hpp", "autograd/autograd.hpp", "nn/nn.hpp", "optim/optim.hpp"}

ROOT = pathlib.Path(__file__).resolve().parent.parent
FLOOR = {folder: floor for floor, folders in enumerate(FLOORS, 1) for folder in folders}


def sources():
    """All files by their names relative to the root, with their text."""
    found = {}
    for top in ("autograd", "nn", "optim"):
        for path in sorted((ROOT / top).rglob("*.[ch]pp")):
            found[path.relative_to(ROOT).as_posix()] = path.read_text(encoding="utf-8")
    return found


def whole(file):
    """A file's name without its extension; of a header that is a part of another one, that one's."""
    stem = file.rsplit(".", 1)[0]
    return PARTS.get(stem, stem)


def folder_of(file, files):
    """The folder that a file belongs to; null for what is in none."""
    parts = file.split("/")
    if len(parts) > 2:
        return "/".join(parts[:2])
    stem = whole(file)
    if stem in HEADERS_ONLY:
        return HEADERS_ONLY[stem]
    top, name = stem.split("/")
    homes = {"/".join(f.split("/")[:2]) for f in files if re.fullmatch(rf"{top}/\w+/{name}\.cpp", f)}
    return homes.pop() if len(homes) == 1 else None


def declared(text):
    """The names that a header declares, macros included; more than the compiler would say, but none less."""
    text = re.sub(r"//.*", "", text)
    return set(re.findall(r"\b(?:class|struct|enum class|using|concept|namespace|#define)\s+(?:\[\[\w+\]\]\s*)?(\w+)", text)) | set(
        re.findall(r"\b(\w+)\s*(?:\(|=|;|\{)", text))


def circles(graph):
    """The strongly connected parts of more than one member (Tarjan 1972)."""
    index, low, stack, found = {}, {}, [], []

    def visit(v):
        index[v] = low[v] = len(index)
        stack.append(v)
        for w in graph[v]:
            if w not in index:
                visit(w)
            if w in stack:
                low[v] = min(low[v], low[w])
        if low[v] == index[v]:
            part = stack[stack.index(v):]
            del stack[stack.index(v):]
            if len(part) > 1:
                found.append(sorted(part))

    for v in list(graph):
        if v not in index:
            visit(v)
    return found


def examine(files):
    """What is wrong, in words."""
    wrong, units = [], collections.defaultdict(set)
    folders = {file: folder_of(file, files) for file in files if file not in UMBRELLAS}
    for file, folder in folders.items():
        if folder not in FLOOR:
            wrong.append(f"{file} belongs to no folder: name its floor in scripts/architecture.py")
        if file.count("/") == 1 and not file.endswith(".hpp"):
            wrong.append(f"{file} is no header: put it into the folder of its floor")

    def unit(file):  # a source and its header count as one
        folder = file.rsplit("/", 1)[0]
        return folder if "/" in folder else folders[file], whole(file).rsplit("/", 1)[-1]

    for file, folder in folders.items():
        units[unit(file)]
        for included in re.findall(r"^#include <((?:autograd|nn|optim)/[^>]+|xgrad\.hpp)>", files[file], re.M):
            if included not in folders:
                wrong.append(f"{file} includes {included}, which " +
                             ("gathers others for users" if included in UMBRELLAS else "is not there"))
                continue
            to = folders[included]
            if unit(included) != unit(file):
                units[unit(file)].add(unit(included))
            if to != folder and folder in FLOOR and to in FLOOR and FLOOR[to] >= FLOOR[folder]:
                wrong.append(f"{file} includes {included}: {folder} (floor {FLOOR[folder]}) may not know {to} "
                             f"(floor {FLOOR[to]})")
            private = included.count("/") > 1 and file.count("/") == 1
            if private and not any(re.search(rf"\b{name}\b", files[file].replace(included, "")) for name in declared(files[included])):
                wrong.append(f"{file} is public and includes {included}, of which it uses nothing")
    for circle in circles(units):
        names = ", ".join(f"{folder}/{name}" for folder, name in circle)
        if len({"/".join(folder.split("/")[:2]) for folder, _ in circle}) > 1:
            wrong.append(f"a circle across folders: {names}")
        elif len(circle) > 3:
            wrong.append(f"a circle of more than three: {names}")
    return wrong


def drawn():
    """The floors as an SVG picture."""
    width, height, gap, left = 210, 46, 10, 34
    most = max(map(len, FLOORS))
    total = left + most * (width + gap), len(FLOORS) * (height + gap) + gap
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {total[0]} {total[1]}" width="{total[0]}" '
        f'font-family="sans-serif" text-anchor="middle">',
        "<title>The floors of xgrad: a folder includes those below it</title>",
        f'<rect width="{total[0]}" height="{total[1]}" fill="#fff"/>',
    ]
    colors = {"autograd": "#e8eefc", "optim": "#fdf0dc", "nn": "#e6f5ea"}
    for floor, folders in enumerate(FLOORS, 1):
        y = total[1] - floor * (height + gap)
        room = (most * (width + gap) - gap - (len(folders) - 1) * gap) / len(folders)
        parts.append(f'<text x="{left / 2}" y="{y + height / 2 + 5}" font-size="13" fill="#555">{floor}</text>')
        for place, (folder, what) in enumerate(folders.items()):
            x = left + place * (room + gap)
            parts.append(f'<rect x="{x:g}" y="{y}" width="{room:g}" height="{height}" rx="4" '
                         f'fill="{colors[folder.split("/")[0]]}" stroke="#889"/>')
            parts.append(f'<text x="{x + room / 2:g}" y="{y + 19}" font-size="14" fill="#111">{folder}</text>')
            parts.append(f'<text x="{x + room / 2:g}" y="{y + 36}" font-size="11" fill="#444">{what}</text>')
    return "\n".join(parts + ["</svg>", ""])


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    arguments.add_argument("--svg", help="draw the floors into this file")
    options = arguments.parse_args()
    files = sources()
    wrong = examine(files)
    for floor in range(len(FLOORS), 0, -1):
        for folder, what in FLOORS[floor - 1].items():
            print(f"{floor:2}  {folder:20} {what}")
    if options.svg:
        (ROOT / options.svg).write_text(drawn(), encoding="utf-8")
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
