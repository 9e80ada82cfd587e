"""Linear algebra agrees with PyTorch's to 1e-10, values and gradients, on 240 random batches of matrices.

usage: linalg.py PROGRAM   (the program built from linalg.cpp; exit status 77 where torch or LAPACK is not installed)
"""
import subprocess
import sys

try:
    import torch
except ImportError:
    print("torch is not installed")
    sys.exit(77)

ROUNDS, TOLERANCE = 20, 1e-10
L = torch.linalg


def symmetric(a):
    return (a + a.mT) / 2


def positive(a):
    return a @ a.mT + torch.eye(a.shape[-2], dtype=a.dtype)


def squared(parts, which):
    return [p.square() if i in which else p for i, p in enumerate(parts)]


# Of square matrices, and of any.
SQUARE = {
    "solve": lambda a, b: [L.solve(a, b)],
    "solve_triangular": lambda a, b: [L.solve_triangular(a, b, upper=upper) for upper in (False, True)],
    "inv": lambda a, b: [L.inv(a)],
    "det": lambda a, b: [L.det(a)],
    "slogdet": lambda a, b: list(L.slogdet(a)),
    "eigh": lambda a, b: squared(L.eigh(symmetric(a)), {1}),
    "matrix_power": lambda a, b: [L.matrix_power(a, 3)],
}
ANY = {
    "cholesky": lambda a, b: [L.cholesky(positive(a))],
    "qr": lambda a, b: squared(L.qr(a), {0, 1}),
    "svd": lambda a, b: squared(L.svd(a, full_matrices=False), {0, 2}),
    "pinv": lambda a, b: [L.pinv(a)],
    "lstsq": lambda a, b: [L.pinv(a) @ b],
}


def cases():
    torch.manual_seed(0)
    for round in range(ROUNDS):
        for name, op in {**SQUARE, **ANY}.items():
            batch, m, n, k = (int(torch.randint(1, 7, ())) for _ in range(4))
            if name in SQUARE:
                n = m
            # Far enough from singular ones that what rounding makes of the two ways stays below the tolerance.
            a = torch.randn(batch, m, n, dtype=torch.float64) + 4 * torch.eye(m, n, dtype=torch.float64).roll(round % 2, -1)
            if name == "solve_triangular":
                a = a + 4 * torch.eye(m, n, dtype=torch.float64)
            yield name, op, a, torch.randn(batch, m, k, dtype=torch.float64)


def expected(op, a, b):
    a, b = a.clone().requires_grad_(), b.clone().requires_grad_()
    flat = torch.cat([y.flatten() for y in op(a, b)])
    loss = (flat * torch.linspace(0.5, 1.5, len(flat), dtype=torch.float64)).sum()
    gradients = torch.autograd.grad(loss, (a, b), allow_unused=True)
    return torch.cat([flat.detach()] + [torch.zeros(x.numel(), dtype=x.dtype) if g is None else g.flatten()
                                        for g, x in zip(gradients, (a, b))])


def main():
    all_cases = list(cases())
    lines = [" ".join([name, *map(str, (*a.shape, b.shape[2])), *map(repr, a.flatten().tolist() + b.flatten().tolist())])
             for name, _, a, b in all_cases]
    answer = subprocess.run([sys.argv[1]], input="\n".join(lines) + "\n", capture_output=True, text=True)
    if answer.returncode != 0:
        print(answer.stderr)
        sys.exit(answer.returncode)
    answers = answer.stdout.splitlines()
    if len(answers) != len(all_cases):
        sys.exit(f"{len(answers)} answers to {len(all_cases)} cases")
    worst = 0.0
    for (name, op, a, b), line in zip(all_cases, answers):
        want, got = expected(op, a, b), torch.tensor([float(x) for x in line.split()], dtype=torch.float64)
        if got.shape != want.shape:
            sys.exit(f"{name} {tuple(a.shape)}: {len(got)} numbers, expected {len(want)}")
        deviation = float(((got - want).abs() / want.abs().max().clamp(min=1)).max())
        worst = max(worst, deviation)
        if not deviation <= TOLERANCE:
            sys.exit(f"{name} of {tuple(a.shape)}: {deviation:.1e} from PyTorch's")
    print(f"{len(all_cases)} cases: worst deviation {worst:.1e} (PyTorch {torch.__version__})")


main()
