"""Ops and losses agree with PyTorch's on PyTorch's own samples, values and gradients to 1e-10 in f64.

usage: ops.py PROGRAM   (the program built from ops.cpp; exit status 77 where torch or its samples are missing)

The samples are those of torch.testing._internal, and the small ones once more with NaN, infinities, zeros, 1e300 and
1e-300 written in. op_table.py says which ops are compared, and where xgrad differs by decision.
"""
import contextlib
import io
import itertools
import math
import subprocess
import sys
import types
import unittest
import warnings

try:
    import torch
    if "expecttest" not in sys.modules:  # which the samples are declared with and none of them needs
        stub = types.ModuleType("expecttest")
        stub.TestCase, stub.ACCEPT = unittest.TestCase, False
        sys.modules["expecttest"] = stub
    with contextlib.redirect_stderr(io.StringIO()):
        from torch.testing._internal.common_methods_invocations import op_db
except ImportError as missing:
    print(missing)
    sys.exit(77)

sys.dont_write_bytecode = True  # the folder is one of sources
from op_requests import F64, Skip  # noqa: E402
from op_table import INTEGERS, SPECIAL, TRANSLATED, decided  # noqa: E402

TOLERANCE, MOST_SAMPLES, MOST_SPECIAL, SMALL, LARGE = 1e-10, 12, 3, 30, 5000
NAMES = {torch.float64: "f64", torch.int64: "i64", torch.bool: "boolean"}


def samples(op):
    """The first samples in f64, or in i64 where there are no others; none of complex numbers or large."""
    dtype = torch.int64 if op.name in INTEGERS else F64
    found = itertools.chain(op.sample_inputs("cpu", dtype), op.reference_inputs("cpu", dtype))
    for s in itertools.islice(found, 8 * MOST_SAMPLES):
        inputs = s.input if isinstance(s.input, (list, tuple)) else [s.input]
        if all(isinstance(t, torch.Tensor) for t in inputs) and sum(t.numel() for t in inputs) <= LARGE:
            yield s


def theirs(op, s, inputs):
    """The result and the gradients along a cotangent from 0.5 to 1.5."""
    torch.manual_seed(0)
    y = op.op(s.input, *s.args, **s.kwargs)
    y = y[0] if isinstance(y, tuple) else y
    leaves = [t for t in inputs if t.requires_grad]
    if not y.requires_grad:
        return [y.detach()]
    g = torch.linspace(0.5, 1.5, y.numel(), dtype=y.dtype).reshape(y.shape)
    gradients = torch.autograd.grad(y, leaves, g, allow_unused=True)
    return [y.detach()] + [torch.zeros_like(t) if d is None else d for t, d in zip(leaves, gradients)]


def fresh(s, change, differentiable):
    """The sample with leaves of its own, changed in place."""
    def leaf(x):
        if isinstance(x, torch.Tensor):
            x = x.detach().clone(memory_format=torch.contiguous_format)
            change(x)
            return x.requires_grad_(differentiable and x.dtype == F64)
        listed = isinstance(x, (list, tuple)) and any(isinstance(e, torch.Tensor) for e in x)
        return [leaf(e) for e in x] if listed else x
    return types.SimpleNamespace(input=leaf(s.input), args=tuple(map(leaf, s.args)),
                                 kwargs={k: leaf(v) for k, v in s.kwargs.items()})


def written(value):
    """Puts a number into the first and the last place."""
    def change(x):
        if x.dtype == F64 and x.numel():
            x.view(-1)[0] = x.view(-1)[-1] = value
    return change


def cases():
    """(label, special value, request, answers of PyTorch) for all samples."""
    for op in op_db:
        name = op.name + (f"/{op.variant_test_name}" if op.variant_test_name else "")
        if name not in TRANSLATED:
            continue
        taken = specials = 0
        for s in samples(op):
            if taken == MOST_SAMPLES:
                break
            small = isinstance(s.input, torch.Tensor) and 0 < s.input.numel() <= SMALL and s.input.dtype == F64
            values = [None]
            if small and specials < MOST_SPECIAL:
                specials += 1
                values += SPECIAL
            for value in values:
                copy = fresh(s, (lambda x: None) if value is None else written(value), op.supports_autograd)
                try:
                    ours, inputs, options = TRANSLATED[name](copy)
                except (Skip, KeyError, IndexError):
                    break
                if any(not isinstance(t, torch.Tensor) or t.dtype not in NAMES for t in inputs):
                    break
                try:
                    expected = theirs(op, copy, inputs)
                except (RuntimeError, IndexError, ValueError):
                    continue  # what PyTorch refuses
                taken += value is None
                yield name, value, (ours, inputs, options), expected


def encoded(request):
    ours, inputs, options = request
    yield " ".join([ours, *(f"{k}={v}" for k, v in options.items())]).encode() + b"\n%d\n" % len(inputs)
    for t in inputs:
        yield " ".join([NAMES[t.dtype], *map(str, t.shape)]).encode() + b"\n"
        yield t.detach().contiguous().numpy().tobytes()


def answers(stream):
    """What the program says to each request: tensors, or an error's words."""
    dtypes = {name: dtype for dtype, name in NAMES.items()}
    while line := stream.readline():
        if line.startswith(b"error"):
            yield line.decode().strip()
            continue
        tensors = []
        for _ in range(int(line.split()[1])):
            name, *shape = stream.readline().decode().split()
            shape = [int(n) for n in shape]
            like = torch.empty(0, dtype=dtypes[name])
            data = bytearray(stream.read(math.prod(shape) * like.element_size()))
            tensors.append((torch.frombuffer(data, dtype=like.dtype) if data else like).reshape(shape))
        yield tensors


def difference(got, want):
    """How far apart, relative to the numbers and at least to 1; infinite where they are not comparable."""
    if got.shape != want.shape or got.dtype != want.dtype:
        return math.inf
    if got.dtype != F64:
        return 0.0 if torch.equal(got, want) else math.inf
    same = (got == want) | (got.isnan() & want.isnan())
    if bool(same.all()):
        return 0.0
    off = ((got - want).abs() / want.abs().clamp(min=1))[~same]
    return math.inf if bool(off.isnan().any()) else off.max().item()


def main():
    warnings.simplefilter("ignore")
    asked = list(cases())
    text = b"".join(itertools.chain.from_iterable(encoded(request) for _, _, request, _ in asked))
    run = subprocess.run([sys.argv[1]], input=text, capture_output=True)
    if run.returncode != 0:
        sys.exit(run.stderr.decode())
    told = list(answers(io.BytesIO(run.stdout)))
    if len(told) != len(asked):
        sys.exit(f"{len(told)} answers to {len(asked)} requests")
    worst, failures, seen = 0.0, {}, set()  # failures by op, special value and part
    for (name, value, (ours, inputs, options), expected), got in zip(asked, told):
        seen.add(name)
        where = f"{name} as {ours} {options} of {[tuple(t.shape) for t in inputs]} with {value}"
        if isinstance(got, str):
            if not decided(name, value, "error"):
                failures.setdefault((name, value, "error"), []).append(f"{where}: {got}")
            continue
        if len(expected) == 1:
            got = got[:1]  # of what PyTorch has no derivative of
        for i, (a, b) in enumerate(itertools.zip_longest(got, expected)):
            part = "value" if i == 0 else "gradient"
            if decided(name, value, part):
                continue
            off = math.inf if a is None or b is None else difference(a, b)
            worst = max(worst, off if off < math.inf else 0)
            if not off <= TOLERANCE:
                shown = [None if t is None else t.flatten()[:6].tolist() for t in (a, b)]
                failures.setdefault((name, value, part), []).append(
                    f"{where}: {part} {i} is {shown[0]}, PyTorch's {shown[1]}")
    for name in TRANSLATED.keys() - seen:
        failures[name, None, "sample"] = [f"{name}: no sample was tried"]
    if failures:
        sys.exit("\n".join(f"{key}: {len(found)}, first {found[0]}" for key, found in failures.items()))
    print(f"{len(seen)} ops, {len(asked)} samples: worst deviation {worst:.1e} (torch {torch.__version__})")


main()
