"""einsum agrees with NumPy's to 1e-10 on 200 random specs: one to four operands, letters that repeat, axes under "..."
that broadcast, results named and not, axes of size 0 and 1.

usage: einsum.py PROGRAM   (the program built from einsum.cpp; exit status 77 where numpy is not installed)
"""
import subprocess
import sys

try:
    import numpy as np
except ImportError:
    print("numpy is not installed")
    sys.exit(77)

ROUNDS, TOLERANCE = 200, 1e-10


def cases():
    random = np.random.default_rng(0)
    for round in range(ROUNDS):
        sizes = {letter: int(random.choice([0, 1, 2, 3, 4], p=[.03, .17, .3, .3, .2])) for letter in "ijkBCD"}
        dots = [int(random.integers(1, 4)) for _ in range(2)]
        terms, operands, any_dots = [], [], False
        for _ in range(random.integers(1, 5)):
            term = "".join(random.choice(list(sizes), random.integers(0, 4)))
            shape = [sizes[letter] for letter in term]
            if random.random() < .4:
                at, axes = int(random.integers(0, len(term) + 1)), int(random.integers(0, 3))
                term = term[:at] + "..." + term[at:]
                shape[at:at] = [size if random.random() < .7 else 1 for size in dots[len(dots) - axes:]]
                any_dots = True
            terms.append(term)
            operands.append(random.standard_normal(shape))
        spec = ",".join(terms)
        if random.random() < .8:
            letters = sorted(set(spec) & set(sizes))
            result = "".join(random.permutation(letters)[:random.integers(0, len(letters) + 1)])
            at = int(random.integers(0, len(result) + 1))
            spec += "->" + (result[:at] + "..." + result[at:] if any_dots else result)
        yield spec, operands


def main():
    all_cases = list(cases())
    lines = [" ".join(["=" + spec, str(len(operands))] + [" ".join(map(str, (x.ndim, *x.shape))) + " " +
                                                    " ".join(map(repr, x.flatten().tolist())) for x in operands])
             for spec, operands in all_cases]
    answer = subprocess.run([sys.argv[1]], input="\n".join(lines) + "\n", capture_output=True, text=True)
    if answer.returncode != 0:
        print(answer.stderr)
        sys.exit(answer.returncode)
    answers = answer.stdout.splitlines()
    assert len(answers) == len(all_cases), f"{len(answers)} answers to {len(all_cases)} cases"
    worst = 0
    for (spec, operands), line in zip(all_cases, answers):
        numbers = np.array(line.split(), dtype=float)
        axes = int(numbers[0])
        expected = np.einsum(spec, *operands)
        shape, values = tuple(int(n) for n in numbers[1:1 + axes]), numbers[1 + axes:]
        called = f"{spec} of {', '.join(str(x.shape) for x in operands)}"
        assert shape == expected.shape, f"{called}: the result is {shape}, NumPy's {expected.shape}"
        error = np.max(np.abs(values - expected.flatten()) / np.maximum(1, np.abs(expected.flatten())), initial=0)
        assert error <= TOLERANCE, f"{called}: off by {error}"
        worst = max(worst, error)
    print(f"{len(all_cases)} specs, worst error {worst:.2g}")


main()
