"""200 steps of every optimiser, each option on and off, agree with PyTorch's to 1e-10 relative in f64.

usage: optimisers.py PROGRAM   (the program built from optimisers.cpp; exit status 77 where torch is not installed)
"""
import importlib
import inspect
import itertools
import subprocess
import sys

try:
    import torch
except ImportError:
    print("torch is not installed")
    sys.exit(77)

# What scalars are kept in by optimisers, whatever the parameters are.
torch.set_default_dtype(torch.float64)
# Before 2.0, NAdam took the momentum of a step twice into the next product, unlike what its documentation says.
nadam = importlib.import_module("torch.optim.nadam")
source = inspect.getsource(nadam._single_tensor_nadam)
exec(source.replace("mu_product * mu * mu_next", "mu_product * mu_next"), vars(nadam))

STEPS, SHAPES, TOLERANCE = 200, [(7, 5), (11, 1)], 1e-10


def combinations(fixed, **choices):
    for picked in itertools.product(*choices.values()):
        yield {**fixed, **dict(zip(choices, picked))}


CASES = (
    [("SGD", o) for o in combinations({"lr": 0.05}, momentum=[0, 0.9], dampening=[0, 0.3], weight_decay=[0, 0.1],
                                      nesterov=[False, True])
     if not (o["nesterov"] and (o["momentum"] == 0 or o["dampening"] != 0))]
    + [(kind, o) for kind in ("Adam", "AdamW")
       for o in combinations({"lr": 0.01}, betas=[(0.9, 0.999), (0.8, 0.95)], eps=[1e-8, 1e-3],
                             weight_decay=[0, 0.1], amsgrad=[False, True])]
    + [("RMSprop", o) for o in combinations({"lr": 0.01}, alpha=[0.99, 0.9], eps=[1e-8, 1e-3], weight_decay=[0, 0.1],
                                            momentum=[0, 0.9], centered=[False, True])]
    + [("Adagrad", o) for o in combinations({"lr": 0.1}, lr_decay=[0, 0.02], weight_decay=[0, 0.1],
                                            initial_accumulator_value=[0, 0.5], eps=[1e-10, 1e-3])]
    + [("NAdam", o) for o in combinations({"lr": 0.01}, betas=[(0.9, 0.999), (0.8, 0.95)], eps=[1e-8, 1e-3],
                                          weight_decay=[0, 0.1], momentum_decay=[4e-3, 0.1])]
    + [("Adamax", o) for o in combinations({"lr": 0.01}, betas=[(0.9, 0.999), (0.8, 0.95)], eps=[1e-8, 1e-3],
                                           weight_decay=[0, 0.1])]
    + [("Adadelta", o) for o in combinations({"lr": 0.5}, rho=[0.9, 0.8], eps=[1e-6, 1e-3], weight_decay=[0, 0.1])]
    + [(kind, {"maximize": True, "weight_decay": 0.1})
       for kind in ("SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adamax", "Adadelta")]
    + [(kind, {}) for kind in ("Adam", "AdamW", "RMSprop", "Adagrad", "NAdam", "Adamax",
                               "Adadelta")]  # the defaults are the same too
)


def request(kind, options):
    words = [kind]
    for name, value in options.items():
        if name == "betas":
            words += [f"betas.first={value[0]!r}", f"betas.second={value[1]!r}"]
        else:
            words.append(f"{name}={float(value)!r}")
    return " ".join(words)


def theirs(kind, options, start, noise):
    parameters = [p.clone().requires_grad_() for p in start]
    options = {"lr": 1e-3, **options} if kind == "SGD" else options
    optimizer = getattr(torch.optim, kind)(parameters, **options)
    trajectory = []
    for step in noise:
        for p, n in zip(parameters, step):
            p.grad = p.detach() * 0.5 + n
        optimizer.step()
        trajectory += [p.detach().flatten().clone() for p in parameters]
    return torch.cat(trajectory)


def main():
    torch.manual_seed(0)
    start = [torch.randn(s, dtype=torch.float64) for s in SHAPES]
    noise = [[torch.randn(s, dtype=torch.float64) for s in SHAPES] for _ in range(STEPS)]
    words = [STEPS, len(SHAPES)]
    for p in start:
        words += [*p.shape, *map(repr, p.flatten().tolist())]
    for step in noise:
        for n in step:
            words += map(repr, n.flatten().tolist())
    text = " ".join(map(str, words)) + "\n" + "".join(request(*case) + "\n" for case in CASES)
    answer = subprocess.run([sys.argv[1]], input=text, capture_output=True, text=True)
    if answer.returncode != 0:
        sys.exit(answer.stderr)
    worst = 0.0
    lines = answer.stdout.splitlines()
    if len(lines) != len(CASES):
        sys.exit(f"{len(lines)} answers to {len(CASES)} cases")
    for (kind, options), line in zip(CASES, lines):
        ours = torch.tensor(list(map(float, line.split())), dtype=torch.float64)
        expected = theirs(kind, options, start, noise)
        if ours.shape != expected.shape:
            sys.exit(f"{kind} {options}: {len(ours)} numbers, expected {len(expected)}")
        deviation = ((ours - expected).abs() / expected.abs().clamp(min=1e-3)).max().item()
        worst = max(worst, deviation)
        if not deviation <= TOLERANCE:
            sys.exit(f"{kind} {options}: deviates by {deviation:.2e} relative, allowed {TOLERANCE:.0e}")
    print(f"{len(CASES)} optimisers, {STEPS} steps each: worst deviation {worst:.1e} relative (torch {torch.__version__})")


main()
