#!/usr/bin/python3
"""The training of examples/reference_network.cpp in PyTorch, for a comparison on one thread:

    time build/release/examples/reference_network --threads 1
    benchmarks/reference_network_pytorch.py --seed 0

prints the seconds of the five epochs (loading and evaluation left out) and the test accuracy.
"""
import argparse
import gzip
import os
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import torch
from torch import nn


def read_idx(path, header):
    with gzip.open(path) as file:
        return np.frombuffer(file.read(), dtype=np.uint8, offset=header)


def load(folder, part, positive):
    images = read_idx(f"{folder}/{part}-images-idx3-ubyte.gz", 16).reshape(-1, 784)
    labels = read_idx(f"{folder}/{part}-labels-idx1-ubyte.gz", 8)
    x = torch.from_numpy(images.astype(np.float32) / 255)
    t = torch.from_numpy(np.isin(labels, positive).astype(np.float32)[:, None])
    return x, t


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="/usr/share/datasets/fashion-mnist")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()

    torch.set_num_threads(1)
    torch.manual_seed(arguments.seed)
    positive = [0, 2, 3, 4, 6]
    x, t = load(arguments.data, "train", positive)
    test_x, test_t = load(arguments.data, "t10k", positive)
    model = nn.Sequential(
        nn.Linear(784, 64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 1), nn.Sigmoid()
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    loss_function = nn.BCELoss()

    start = time.perf_counter()
    for _ in range(arguments.epochs):
        order = torch.randperm(len(x))
        for first in range(0, len(x), arguments.batch_size):
            batch = order[first : first + arguments.batch_size]
            loss = loss_function(model(x[batch]), t[batch])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
    seconds = time.perf_counter() - start

    model.eval()
    with torch.no_grad():
        accuracy = ((model(test_x) > 0.5) == (test_t > 0.5)).float().mean().item()
    print(f"PyTorch {torch.__version__}: {arguments.epochs} epochs in {seconds:.2f} s, test accuracy {accuracy:.4f}")


if __name__ == "__main__":
    main()
