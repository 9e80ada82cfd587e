"""Convolutions, pooling, resizing and normalisations agree with PyTorch's: 200 random ones of each in f64, values and
gradients to 1e-10, second derivatives to 1e-8, and in f32 to 1e-5 and 1e-4.

usage: images.py PROGRAM   (the program built from images.cpp; exit status 77 where torch is not installed)
"""
import random
import subprocess
import sys

try:
    import torch
    import torch.nn.functional as F
except ImportError:
    print("torch is not installed")
    sys.exit(77)

COUNT = 200
CONV = [F.conv1d, F.conv2d, F.conv3d]
TRANSPOSED = [F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d]
MAX = [F.max_pool1d, F.max_pool2d, F.max_pool3d]
AVERAGE = [F.avg_pool1d, F.avg_pool2d, F.avg_pool3d]
ADAPTIVE = [F.adaptive_avg_pool1d, F.adaptive_avg_pool2d, F.adaptive_avg_pool3d]
LINEAR = ["linear", "bilinear", "trilinear"]


def rand(*shape):
    return torch.randn(*shape, dtype=torch.float64).float().double()


def each(axes, low, high):
    return [random.randint(low, high) for _ in range(axes)]


def conv():
    axes = random.choice([1, 2, 2, 2, 3])
    largest = [40, 17, 7][axes - 1]
    groups = random.choice([1, 1, 2, 3])
    depthwise = random.random() < .2
    channels, outputs = groups * random.randint(1, 5), groups * random.randint(1, 9)
    if depthwise:
        groups, outputs = channels, channels * random.randint(1, 2)
    is_same = random.random() < .2
    kernel, dilation = each(axes, 1, 5 if axes < 3 else 3), each(axes, 1, 2)
    stride = [1] * axes if is_same else each(axes, 1, 3)
    padding = each(axes, 0, 4)
    size = [max(s, d * (k - 1) + 1 - 2 * p, 1) for s, d, k, p in zip(each(axes, 1, largest), dilation, kernel, padding)]
    inputs = [rand(random.randint(1, 3), channels, *size), rand(outputs, channels // groups, *kernel)]
    if random.random() < .5:
        inputs.append(rand(outputs))
    how = "same" if is_same else padding
    return (stride + padding + dilation + [groups, int(is_same)], inputs,
            lambda *x: CONV[axes - 1](*x, stride=stride, padding=how, dilation=dilation, groups=groups))


def conv_transpose():
    axes = random.choice([1, 2, 2, 2, 3])
    groups = random.choice([1, 1, 2, 3])
    channels, outputs = groups * random.randint(1, 5), random.randint(1, 9)
    kernel, dilation, stride = each(axes, 1, 5 if axes < 3 else 3), each(axes, 1, 2), each(axes, 1, 3)
    padding = [random.randint(0, d * (k - 1) // 2) for d, k in zip(dilation, kernel)]
    more = [random.randint(0, max(s, d) - 1) for s, d in zip(stride, dilation)]
    size = each(axes, 1, [30, 12, 5][axes - 1])
    inputs = [rand(random.randint(1, 3), channels, *size), rand(channels, outputs, *kernel)]
    if random.random() < .5:
        inputs.append(rand(outputs * groups))
    return (stride + padding + dilation + more + [groups], inputs,
            lambda *x: TRANSPOSED[axes - 1](*x, stride=stride, padding=padding, dilation=dilation, groups=groups,
                                            output_padding=more))


def pooled():
    axes = random.choice([1, 2, 2, 2, 3])
    kernel, stride = each(axes, 1, 4), each(axes, 1, 5)
    if random.random() < .4:
        kernel = stride = [2] * axes
    padding = [random.randint(0, k // 2) for k in kernel]
    # torch's 3-d pools do not count the padding when they look whether the kernel fits
    size = [max(s, k - (2 * p if axes < 3 else 0), 1)
            for s, k, p in zip(each(axes, 1, [60, 19, 7][axes - 1]), kernel, padding)]
    return axes, kernel, stride, padding, rand(random.randint(1, 3), random.randint(1, 4), *size)


def max_pool():
    axes, kernel, stride, padding, x = pooled()
    return kernel + stride + padding, [x], lambda x: MAX[axes - 1](x, kernel, stride, padding)


def avg_pool():
    axes, kernel, stride, padding, x = pooled()
    counts = random.randint(0, 1)
    return (kernel + stride + padding + [counts], [x],
            lambda x: AVERAGE[axes - 1](x, kernel, stride, padding, count_include_pad=bool(counts)))


def adaptive_avg_pool():
    axes, _, _, _, x = pooled()
    size = [1] * axes if random.random() < .2 else each(axes, 1, 9)
    return size, [x], lambda x: ADAPTIVE[axes - 1](x, size)


def nearest():
    axes, _, _, _, x = pooled()
    # Powers of two, because torch takes the quotient of the sizes in f32.
    size = [max(1, n * random.choice([1, 2, 4]) // random.choice([1, 2])) for n in x.shape[2:]]
    return size, [x], lambda x: F.interpolate(x, size, mode="nearest")


def linear():
    axes, _, _, _, x = pooled()
    size, corners = each(axes, 1, 20 if axes < 3 else 8), random.randint(0, 1)
    return (size + [corners], [x],
            lambda x: F.interpolate(x, size, mode=LINEAR[axes - 1], align_corners=bool(corners)))


def channels(groups=1):
    c = groups * random.randint(1, 6)
    x = rand(random.randint(4, 8), c, *[random.randint(1, 7) for _ in range(random.randint(0, 2))])
    return [x * random.choice([.5, 3]) + random.choice([0, 10]), rand(c), rand(c)]


def batch_norm():
    return [], channels(), lambda x, w, b: F.batch_norm(x, None, None, w, b, True)


def batch_norm_given():
    inputs = channels()
    inputs += [rand(inputs[1].numel()), rand(inputs[1].numel()).abs() + .5]
    # By its formula, as torch has no gradient by the moments.
    return [], inputs, lambda x, w, b, m, v: ((x.transpose(1, -1) - m) * (v + 1e-5).rsqrt() * w + b).transpose(1, -1)


def group_norm():
    groups = random.randint(1, 4)
    inputs = channels(groups)
    while inputs[0][0].numel() < 4 * groups:  # of fewer, second derivatives in f32 are mostly rounding
        inputs = channels(groups)
    return [groups], inputs, lambda x, w, b: F.group_norm(x, groups, w, b)


def layered():
    shape = [random.randint(4, 9) for _ in range(random.randint(1, 2))]
    x = rand(*[random.randint(1, 5) for _ in range(random.randint(1, 2))], *shape)
    return x * random.choice([.5, 3]) + random.choice([0, 10]), rand(*shape), rand(*shape)


def layer_norm():
    return [], [*layered()], lambda x, w, b: F.layer_norm(x, w.shape, w, b)


def rms_norm():
    x, w, _ = layered()
    axes = list(range(-w.ndim, 0))
    return [], [x, w], lambda x, w: x * (x.square().mean(axes, keepdim=True) + 1e-5).rsqrt() * w


CASES = [conv, conv_transpose, max_pool, avg_pool, adaptive_avg_pool, nearest, linear, batch_norm, batch_norm_given,
         group_norm, layer_norm, rms_norm]


def theirs(f, inputs, directions, cotangent):
    x = [t.clone().requires_grad_() for t in inputs]
    y = f(*x)
    first = torch.autograd.grad(y, x, cotangent, create_graph=True)
    along = sum((g * d).sum() for g, d in zip(first, directions))
    second = torch.autograd.grad(along, x, allow_unused=True) if along.requires_grad else [None] * len(x)
    second = [torch.zeros_like(t) if g is None else g for t, g in zip(x, second)]
    return [t.detach() for t in (y, *first)], [t.detach() for t in second]


def shape_of(t):
    return [t.ndim, *t.shape]


def request(op, dtype, options, tensors):
    words = [op, dtype, len(options), *options, len(tensors)]
    for t in tensors:
        words += shape_of(t)
    line = " ".join(map(str, words)) + "\n"
    return line.encode() + b"".join(t.numpy().tobytes() for t in tensors)


def worst(ours, expected):
    """The largest deviation relative to the largest number of each tensor, and the numbers that are left."""
    largest = 0.0
    for t in expected:
        part, ours = ours[:t.numel()], ours[t.numel():]
        if part.numel() != t.numel():
            return float("inf"), ours
        if t.numel():
            deviation = (part - t.flatten()).abs().max() / max(1, t.abs().max())
            largest = max(largest, deviation.item())
    return largest, ours


def main():
    random.seed(0)
    torch.manual_seed(0)
    requests, wanted = [], []
    for case in CASES:
        for i in range(COUNT):
            options, inputs, f = case()
            directions = [rand(*t.shape) for t in inputs]
            cotangent = rand(*f(*inputs).shape)
            first, second = theirs(f, inputs, directions, cotangent)
            for dtype in ("f64", "f32"):
                requests.append(request(case.__name__, dtype, options, [*inputs, *directions, cotangent]))
                wanted.append((case.__name__, dtype, options, [tuple(t.shape) for t in inputs], first, second))
    answer = subprocess.run([sys.argv[1]], input=b"".join(requests), capture_output=True)
    if answer.returncode != 0:
        sys.exit(answer.stderr.decode())
    left = torch.frombuffer(bytearray(answer.stdout), dtype=torch.float64)
    summary = {}
    for op, dtype, options, shapes, first, second in wanted:
        largest, left = worst(left, first)
        largest_second, left = worst(left, second)
        limits = (1e-10, 1e-8) if dtype == "f64" else (1e-5, 1e-4)
        if not (largest <= limits[0] and largest_second <= limits[1]):
            sys.exit(f"{op} {dtype} {options} of {shapes}: deviates by {largest:.1e} and {largest_second:.1e}")
        before = summary.get((op, dtype), (0, 0))
        summary[op, dtype] = max(before[0], largest), max(before[1], largest_second)
    if left.numel():
        sys.exit(f"{left.numel()} numbers more than were asked for")
    for (op, dtype), (a, b) in summary.items():
        print(f"{COUNT} x {op} in {dtype}: worst deviation {a:.1e}, of second derivatives {b:.1e} (torch "
              f"{torch.__version__})")


main()
