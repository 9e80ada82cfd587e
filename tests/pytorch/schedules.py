"""1000 steps of every schedule agree with PyTorch's to 1e-12, relative to the larger of the rate and its base.

usage: schedules.py PROGRAM   (the program built from schedules.cpp; exit status 77 where torch is not installed)
"""
import math
import subprocess
import sys
import warnings

try:
    import torch
    from torch.optim import lr_scheduler as lr
except ImportError:
    print("torch is not installed")
    sys.exit(77)

STEPS, BASES, TOLERANCE = 1000, (0.1, 0.02), 1e-12


class ClosedCosine(lr.CosineAnnealingLR):
    """By PyTorch's own closed formula: its recursion has lost digits where it has come back from min_lr."""

    def get_lr(self):
        return self._get_closed_form_lr()


CASES = (
    [("StepLR", {"step": s, "gamma": g}, lambda o, s=s, g=g: lr.StepLR(o, s, g)) for s in (1, 30, 400)
     for g in (0.1, 0.97)]
    + [("MultiStepLR", {"milestones": m, "gamma": g}, lambda o, m=m, g=g: lr.MultiStepLR(o, m, g))
       for m in ([1], [30, 80], [500, 500, 900]) for g in (0.1, 0.5)]
    + [("ExponentialLR", {"gamma": g}, lambda o, g=g: lr.ExponentialLR(o, g)) for g in (0.9, 0.999, 1.001)]
    + [("CosineLR", {"steps": s, "min_lr": m}, lambda o, s=s, m=m: lr.CosineAnnealingLR(o, s, m)) for s in (1000, 1700)
       for m in (0, 0.01)]
    + [("CosineLR", {"steps": s, "min_lr": m}, lambda o, s=s, m=m: ClosedCosine(o, s, m)) for s in (1, 100, 300)
       for m in (0, 0.01)]
    + [("RestartedCosineLR", {"steps": s, "min_lr": m, "growth": g},
        lambda o, s=s, m=m, g=g: lr.CosineAnnealingWarmRestarts(o, s, g, m))
       for s in (1, 7, 100) for m in (0, 0.01) for g in (1, 2, 3)]
    + [("WarmupLR", {"steps": s, "start_factor": f}, lambda o, s=s, f=f: lr.LinearLR(o, f, 1, s)) for s in (1, 5, 600)
       for f in (1 / 3, 0.01)]
    + [("OneCycleLR", {"max_lr": m, "steps": STEPS + 1, "warmup": w, "linear": linear},
        lambda o, m=m, w=w, linear=linear: lr.OneCycleLR(o, m, STEPS + 1, pct_start=w, cycle_momentum=False,
                                                         anneal_strategy="linear" if linear else "cos"))
       for m in (0.1, 2) for w in (0.3, 0.5) for linear in (0, 1)]
    + [("PolynomialLR", {"steps": s, "power": p}, lambda o, s=s, p=p: lr.PolynomialLR(o, s, p)) for s in (1, 60, 1500)
       for p in (1.0, 0.9, 2.0)]
    + [("InverseTimeLR", {"decay": d}, lambda o, d=d: lr.LambdaLR(o, lambda t: 1 / (1 + d * t))) for d in (0.01, 3)]
    + [("LambdaLR", {}, lambda o: lr.LambdaLR(o, lambda t: 1 + math.sin(t)))]
    + [("ChainedLR", {}, lambda o: lr.ChainedScheduler([lr.LinearLR(o, total_iters=20), lr.ExponentialLR(o, 0.995),
                                                        lr.StepLR(o, 300, 0.5)]))]
    + [("PlateauLR", {"factor": f, "patience": p, "threshold": t, "absolute": a, "larger": m, "cooldown": c,
                      "min_lr": 1e-4},
        lambda o, f=f, p=p, t=t, a=a, m=m, c=c: lr.ReduceLROnPlateau(
            o, mode="max" if m else "min", factor=f, patience=p, threshold=t,
            threshold_mode="abs" if a else "rel", cooldown=c, min_lr=1e-4))
       for f in (0.5, 0.9) for p in (0, 10) for t in (1e-4, 0.01) for a in (0, 1) for m in (0, 1) for c in (0, 7)]
)


def metric(t):
    return 3 + math.sin(t / 20) + math.exp(-t / 100)


def request(kind, options):
    return " ".join([kind] + [f"{name}={','.join(map(str, v)) if isinstance(v, list) else repr(v)}"
                              for name, v in options.items()])


def theirs(make):
    optimizer = torch.optim.SGD([{"params": [torch.ones(1, requires_grad=True)], "lr": base} for base in BASES], lr=1)
    schedule = make(optimizer)
    rates = []
    for t in range(STEPS + 1):
        rates += [group["lr"] for group in optimizer.param_groups]
        if t < STEPS:
            schedule.step(metric(t)) if isinstance(schedule, lr.ReduceLROnPlateau) else schedule.step()
    return rates


def main():
    warnings.simplefilter("ignore")
    text = "".join(request(kind, options) + "\n" for kind, options, _ in CASES)
    answer = subprocess.run([sys.argv[1]], input=text, capture_output=True, text=True)
    if answer.returncode != 0:
        sys.exit(answer.stderr)
    lines = answer.stdout.splitlines()
    if len(lines) != len(CASES):
        sys.exit(f"{len(lines)} answers to {len(CASES)} cases")
    worst = 0.0
    for (kind, options, make), line in zip(CASES, lines):
        ours, expected = list(map(float, line.split())), theirs(make)
        if len(ours) != len(expected):
            sys.exit(f"{kind} {options}: {len(ours)} numbers, expected {len(expected)}")
        for i, (a, b) in enumerate(zip(ours, expected)):
            deviation = abs(a - b) / max(abs(b), BASES[i % 2])
            worst = max(worst, deviation)
            if not deviation <= TOLERANCE:
                sys.exit(f"{kind} {options}: {a!r} after {i // 2} steps, expected {b!r}")
    print(f"{len(CASES)} schedules, {STEPS} steps each: worst deviation {worst:.1e} (torch {torch.__version__})")


main()
