"""The losses of 100 steps of the reference network agree with PyTorch's to 1e-9 relative in f64.

usage: reference_network.py PROGRAM   (the program built from reference_network.cpp, which states what is trained;
exit status 77 where torch is not installed)
"""
import subprocess
import sys

try:
    import numpy
    import torch
except ImportError:
    print("torch is not installed")
    sys.exit(77)

TOLERANCE = 1e-9


def uniform(shape, stream, low, high):
    with numpy.errstate(over="ignore"):
        h = (numpy.uint64(stream << 40) | numpy.arange(numpy.prod(shape), dtype=numpy.uint64)) * numpy.uint64(
            0x9E3779B97F4A7C15)
        h = (h ^ h >> numpy.uint64(32)) * numpy.uint64(0xD6E8FEB86659FD93)
    h ^= h >> numpy.uint64(32)
    return torch.from_numpy(low + (high - low) * ((h >> numpy.uint64(11)).astype(numpy.float64) * 2.0**-53)).reshape(
        shape)


def main():
    answer = subprocess.run([sys.argv[1]], capture_output=True, text=True)
    if answer.returncode != 0:
        sys.exit(answer.stderr)
    ours = list(map(float, answer.stdout.split()))

    layers = [torch.nn.Linear(784, 64), torch.nn.ReLU(), torch.nn.Dropout(0), torch.nn.Linear(64, 32),
              torch.nn.ReLU(), torch.nn.Linear(32, 1), torch.nn.Sigmoid()]
    model = torch.nn.Sequential(*layers).double()
    stream = 0
    with torch.no_grad():
        for layer in layers:
            if not isinstance(layer, torch.nn.Linear):
                continue
            inputs, outputs = layer.in_features, layer.out_features
            bound = 1 / (4 + inputs / 32)
            layer.weight.copy_(uniform((inputs, outputs), stream, -bound, bound).T)
            layer.bias.copy_(uniform((outputs,), stream + 1, -0.125, 0.125))
            stream += 2
    images, targets = [], []
    for _ in range(10):
        x = uniform((128, 784), stream, 0, 1)
        stream += 1
        images.append(x)
        difference = x[:, :392].sum(1, keepdim=True) - x[:, 392:].sum(1, keepdim=True)
        targets.append((difference > 0).double())
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    worst, losses = 0.0, []
    for step in range(100):
        optimizer.zero_grad()
        loss = torch.nn.functional.binary_cross_entropy(model(images[step % 10]), targets[step % 10])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    if len(ours) != len(losses):
        sys.exit(f"{len(ours)} losses, expected {len(losses)}")
    for step, (a, b) in enumerate(zip(ours, losses)):
        worst = max(worst, abs(a - b) / abs(b))
        if not abs(a - b) <= TOLERANCE * abs(b):
            sys.exit(f"step {step}: the loss is {a!r}, PyTorch's {b!r}; allowed {TOLERANCE:.0e} relative")
    print(f"100 steps, loss {losses[0]:.6f} to {losses[-1]:.6f}: worst deviation {worst:.1e} relative "
          f"(torch {torch.__version__})")


main()
