"""Every metric agrees with scikit-learn's to 1e-12, of all samples at once and in batches, with ties and rare classes.

usage: metrics.py PROGRAM   (the program built from metrics.cpp; exit status 77 where scikit-learn is not installed)
"""
import subprocess
import sys
import warnings

try:
    import numpy as np
    import sklearn
    from sklearn import metrics as m
except ImportError:
    print("scikit-learn is not installed")
    sys.exit(77)

TOLERANCE, ROUNDS = 1e-12, 8


def averages(prefix, score):
    yield prefix, lambda t, p: score(t, p > 0.5, zero_division=0)
    for average in ("micro", "macro"):
        yield f"{average}_{prefix}", lambda t, p, a=average: score(t, p > 0.5, average=a, zero_division=0)


def class_averages(prefix, score):
    for average in ("micro", "macro"):
        yield f"{average}_{prefix}", lambda t, p, a=average: score(t, p.argmax(1), average=a, zero_division=0)


SCORES = {"precision": m.precision_score, "recall": m.recall_score, "f1": m.f1_score}
BINARY = dict(
    [case for prefix, score in SCORES.items() for case in averages(prefix, score)],
    binary_accuracy=lambda t, p: m.accuracy_score(t, p > 0.5),
    matthews=lambda t, p: m.matthews_corrcoef(t, p > 0.5),
    confusion_table=lambda t, p: m.confusion_matrix(t, p > 0.5, labels=[0, 1]),
    roc_auc=m.roc_auc_score,
    average_precision=m.average_precision_score,
    brier=m.brier_score_loss,
)
CLASSES = dict(
    [case for prefix, score in SCORES.items() for case in class_averages(prefix, score)],
    categorical_accuracy=lambda t, p: m.accuracy_score(t, p.argmax(1)),
    top_1_accuracy=lambda t, p: m.top_k_accuracy_score(t, p, k=1, labels=range(p.shape[1])),
    top_3_accuracy=lambda t, p: m.top_k_accuracy_score(t, p, k=3, labels=range(p.shape[1])),
    matthews=lambda t, p: m.matthews_corrcoef(t, p.argmax(1)),
    confusion_table=lambda t, p: m.confusion_matrix(t, p.argmax(1), labels=range(p.shape[1])),
    perplexity=lambda t, p: np.exp(m.log_loss(t, softmax(p), labels=range(p.shape[1]))),
)
NUMBERS = dict(
    mae=m.mean_absolute_error,
    mse=m.mean_squared_error,
    rmse=lambda t, p: np.sqrt(m.mean_squared_error(t, p)),
    r2=m.r2_score,
)


def softmax(z):
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def samples(rng):
    """Cases of a metric, its reference, predictions and targets."""
    n = int(rng.integers(6, 300))
    scores = rng.random(n)
    tied = rng.integers(0, 5, n) / 4
    for rare in (0.5, 0.05):
        target = (rng.random(n) < rare).astype(int)
        target[:2] = 0, 1
        for p in (scores, tied):
            for name, reference in BINARY.items():
                yield name, reference, p, target
    for classes in (4, 9):
        target = rng.integers(0, classes - 1, n)  # one class never occurs
        for p in (rng.normal(size=(n, classes)) * 3, rng.integers(0, 4, (n, classes)).astype(float)):
            for name, reference in CLASSES.items():
                yield name, reference, p, target
    for target in (rng.normal(size=n), rng.normal(size=n) + 1e4, np.full(n, 3.0)):
        for name, reference in NUMBERS.items():
            yield name, reference, target + rng.normal(size=n), target


def request(name, p, target):
    columns = 1 if p.ndim == 1 else p.shape[1]
    words = [name, len(target), columns, *p.flatten().tolist(), *target.tolist()]
    return " ".join(w if isinstance(w, str) else repr(w) for w in words)


def main():
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(0)
    cases = [case for _ in range(ROUNDS) for case in samples(rng)]
    text = "".join(request(name, p, target) + "\n" for name, _, p, target in cases)
    answer = subprocess.run([sys.argv[1]], input=text, capture_output=True, text=True)
    if answer.returncode != 0:
        sys.exit(answer.stderr)
    lines = answer.stdout.splitlines()
    if len(lines) != len(cases):
        sys.exit(f"{len(lines)} answers to {len(cases)} cases")
    worst = 0.0
    for (name, reference, p, target), line in zip(cases, lines):
        whole, streamed, *table = map(float, line.split())
        if whole != streamed:
            sys.exit(f"{name}: {whole!r} at once, {streamed!r} in batches")
        expected = reference(target, p)
        if name == "confusion_table":
            if table != expected.flatten().tolist():
                sys.exit(f"{name}: {table}, expected {expected}")
            expected = np.trace(expected) / expected.sum()
        deviation = abs(whole - expected) / max(1.0, abs(expected))
        worst = max(worst, deviation)
        if not deviation <= TOLERANCE:
            sys.exit(f"{name}: {whole!r}, expected {expected!r}, of {len(target)} samples")
    print(f"{len(cases)} cases: worst deviation {worst:.1e} (scikit-learn {sklearn.__version__})")


main()
