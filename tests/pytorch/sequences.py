"""Random recurrent layers, attention and bags of embeddings agree with PyTorch's: values and gradients to 1e-10 in f64
and 1e-5 in f32, second derivatives to 1e-8, relative to the largest number of each tensor or 1.

usage: sequences.py PROGRAM   (the program built from sequences.cpp; exit status 77 where torch is not installed)
"""
import random
import subprocess
import sys

try:
    import torch
    from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
except ImportError:
    print("torch is not installed")
    sys.exit(77)

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
torch.manual_seed(0)
random.seed(0)

EACH = 200


def ramp(t):
    return torch.linspace(0.5, 1.5, t.numel()).reshape(t.shape) if t.numel() > 1 else torch.full(t.shape, 0.5)


def weighted(tensors):
    return sum((t * ramp(t)).sum() for t in tensors)


def leaf(*shape):
    # Numbers that f32 holds, so that both dtypes see the same.
    return (torch.rand(shape) * 2 - 1).float().double().requires_grad_()


def words(tensors):
    return [repr(v) for t in tensors for v in t.detach().flatten().tolist()]


def recurrent(kind):
    """The request, its leaves in our order, and the values."""
    n, steps, features, hidden = (random.randint(1, most) for most in (4, 6, 5, 6))
    layers, both, has_state = random.randint(1, 2), random.randint(0, 1), random.randint(0, 1)
    lengths = [random.randint(1, steps) for _ in range(n)]
    if random.randint(0, 1):
        lengths[0] = steps
    layer = getattr(torch.nn, kind)(features, hidden, layers, batch_first=True, bidirectional=bool(both))
    x = leaf(n, steps, features)
    state = layers * (1 + both), n, hidden
    start = [leaf(*state) for _ in range(2 if kind == "LSTM" else 1)] if has_state else []
    gates = {"RNN": 1, "GRU": 3, "LSTM": 4}[kind]
    ours, parameters = [], {}
    for suffix in ("", "_reverse")[: 1 + both]:
        for k in range(layers):
            width = features if k == 0 else hidden * (1 + both)
            w, u = leaf(width, gates * hidden), leaf(hidden, gates * hidden)
            b = leaf((4 if kind == "GRU" else gates) * hidden)
            ours += [w, u, b]
            zeros = torch.zeros(2 * hidden)
            inner = torch.cat([zeros, b[3 * hidden:]]) if kind == "GRU" else torch.zeros(gates * hidden)
            parameters |= {f"weight_ih_l{k}{suffix}": w.T, f"weight_hh_l{k}{suffix}": u.T,
                           f"bias_ih_l{k}{suffix}": b[: gates * hidden], f"bias_hh_l{k}{suffix}": inner}
    leaves = [x, *start, *ours]
    for name, value in parameters.items():
        delattr(layer, name)
        setattr(layer, name, value)
    layer._flat_weights = [parameters[name] for name in layer._flat_weights_names]
    given = None if not start else start[0] if kind != "LSTM" else tuple(start)
    packed = pack_padded_sequence(x, torch.tensor(lengths), batch_first=True, enforce_sorted=False)
    output, last = layer(packed, given)
    output, _ = pad_packed_sequence(output, batch_first=True, total_length=steps)
    values = [output, *last] if kind == "LSTM" else [output, last]
    head = [n, steps, features, hidden, layers, both, has_state, *lengths]
    return head, [], leaves, values


def attention(_):
    large = random.random() < 0.1  # more than a block of queries or keys
    n, heads, d, e = (random.randint(1, most) for most in (2, 3, 5, 4))
    m, k = (random.randint(1, 150 if large else 8) for _ in range(2))
    if large:
        n = heads = 1
    causal, mask = random.randint(0, 1), random.choice(["none", "booleans", "constants", "numbers"])
    q, keys, v = leaf(n, heads, m, d), leaf(n, heads, k, d), leaf(n, heads, k, e)
    scores = q @ keys.transpose(-1, -2) / d ** 0.5
    first, leaves, own = [], [q, keys, v], []
    if mask == "booleans":
        seen = torch.rand(n, 1, m, k) < 0.7
        seen[:, :, random.randrange(m)] = False  # a row without any key
        first = [seen.double()]
        scores = scores.masked_fill(~seen, float("-inf"))
    elif mask == "constants":
        own = [(torch.randn(m, k)).float().double()]
        scores = scores + own[0]
    elif mask == "numbers":
        leaves.append(leaf(heads, 1, k))
        scores = scores + leaves[-1]
    if causal:
        scores = scores.masked_fill(~torch.ones(m, k, dtype=torch.bool).tril(), float("-inf"))
    empty = (scores == float("-inf")).all(-1, keepdim=True)
    weights = torch.where(empty, torch.zeros(()), torch.softmax(torch.where(empty, torch.zeros(()), scores), -1))
    return [n, heads, m, k, d, e, causal, mask], first, leaves, [weights @ v], own


def bag(_):
    rows, features, n, k = (random.randint(1, most) for most in (6, 4, 4, 5))
    mean, has_offsets, padding = random.randint(0, 1), random.randint(0, 1), random.choice([-1, random.randrange(rows)])
    weight = leaf(rows, features)
    indices = torch.randint(0, rows, (n * k,) if has_offsets else (n, k))
    offsets = torch.tensor([0] + sorted(random.randint(0, n * k) for _ in range(n - 1))) if has_offsets else None
    value = torch.nn.functional.embedding_bag(indices, weight, offsets, mode="mean" if mean else "sum",
                                              padding_idx=None if padding < 0 else padding)
    first = [indices] if offsets is None else [indices, offsets]
    return [rows, features, n, k, mean, has_offsets, padding], first, [weight], [value]


def expected(leaves, values, second):
    gradients = torch.autograd.grad(weighted(values), leaves, create_graph=second)
    result = [*values, *gradients]
    if second:
        again = torch.autograd.grad(weighted(gradients), leaves, allow_unused=True)
        result += [torch.zeros_like(x) if g is None else g for g, x in zip(again, leaves)]
    return [t.detach() for t in result], len(values) + len(gradients)


def main():
    requests, cases = [], []
    for kind, make in [("RNN", recurrent), ("GRU", recurrent), ("LSTM", recurrent), ("attention", attention),
                       ("bag", bag)]:
        for _ in range(EACH):
            head, first, leaves, values, *constants = make(kind)
            second = kind != "bag"
            tensors, firsts = expected(leaves, values, second)
            numbers = " ".join(words(first + leaves + (constants[0] if constants else [])))
            for dtype in ("f64", "f32"):
                order = 2 if second and dtype == "f64" else 1
                requests.append(f"{kind} {dtype} {order} {' '.join(map(str, head))} {numbers}")
                cases.append((kind, dtype, head, tensors if order == 2 else tensors[:firsts], firsts))
    answer = subprocess.run([sys.argv[1]], input="\n".join(requests) + "\n", capture_output=True, text=True)
    if answer.returncode != 0:
        sys.exit(answer.stderr)
    lines = answer.stdout.splitlines()
    if len(lines) != len(cases):
        sys.exit(f"{len(lines)} answers to {len(cases)} requests")
    worst = {}
    for (kind, dtype, head, tensors, firsts), line in zip(cases, lines):
        ours = torch.tensor(list(map(float, line.split())))
        if len(ours) != sum(t.numel() for t in tensors):
            sys.exit(f"{kind} {head}: {len(ours)} numbers, expected {sum(t.numel() for t in tensors)}")
        for i, (part, t) in enumerate(zip(ours.split([t.numel() for t in tensors]), tensors)):
            if t.numel() == 0:
                continue
            deviation = ((part - t.flatten()).abs().max() / t.abs().max().clamp(min=1)).item()
            what = kind, dtype if i < firsts else "second"
            allowed = {"f64": 1e-10, "f32": 1e-5, "second": 1e-8}[what[1]]
            worst[what] = max(worst.get(what, 0), deviation)
            if not deviation <= allowed:
                sys.exit(f"{kind} {head} in {dtype}: result {i} deviates by {deviation:.2e}, allowed {allowed:.0e}")
    for (kind, what), deviation in worst.items():
        print(f"{EACH} x {kind}, {what}: worst deviation {deviation:.1e} (torch {torch.__version__})")


main()
