#!/usr/bin/env python3
"""The training of examples/reference_network.cpp beside Keras with TensorFlow, one after the other, three times:

    python3 -m venv keras && keras/bin/pip install keras tensorflow-cpu
    keras/bin/python benchmarks/reference_network_keras.py build/release/examples/reference_network

prints for each time the seconds of the five epochs (reading data and evaluation left out, what Keras compiles at the first
step included), the test accuracies, and how many times as long Keras takes; at last the middle one of these.
"""
import argparse
import gzip
import os
import re
import statistics
import subprocess
import tempfile
import time

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import keras
import numpy as np
import tensorflow as tf
from keras.layers import Dense, Dropout


def read_idx(path, header):
    with gzip.open(path) as file:
        return np.frombuffer(file.read(), dtype=np.uint8, offset=header)


def load(folder, part):
    images = read_idx(f"{folder}/{part}-images-idx3-ubyte.gz", 16).reshape(-1, 784)
    labels = read_idx(f"{folder}/{part}-labels-idx1-ubyte.gz", 8)
    return images.astype(np.float32) / 255, np.isin(labels, [0, 2, 3, 4, 6]).astype(np.float32)[:, None]


def train_keras(train, test, arguments, seed):
    """The seconds of the epochs, and the test accuracy."""
    keras.utils.set_random_seed(seed)
    model = keras.Sequential([Dense(64, "relu"), Dropout(0.2), Dense(32, "relu"), Dense(1, "sigmoid")])
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    start = time.perf_counter()
    model.fit(*train, epochs=arguments.epochs, batch_size=128, verbose=0)
    seconds = time.perf_counter() - start
    return seconds, model.evaluate(*test, batch_size=1000, verbose=0)[1]


def train_xgrad(arguments, seed):
    with tempfile.TemporaryDirectory() as folder:
        command = [arguments.program, "--data", arguments.data, "--epochs", arguments.epochs, "--seed", seed,
                   "--threads", arguments.threads, "--save", f"{folder}/weights.safetensors",
                   "--curve", f"{folder}/curve.svg"]
        said = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True).stdout
    return [float(re.search(pattern, said).group(1)) for pattern in (r"epochs in ([\d.]+) s", r"test accuracy ([\d.]+)")]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="the example reference_network, as it was built")
    parser.add_argument("--data", default="/usr/share/datasets/fashion-mnist")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(arguments.threads)
    tf.config.threading.set_inter_op_parallelism_threads(arguments.threads)

    train, test = load(arguments.data, "train"), load(arguments.data, "t10k")
    print(f"Keras {keras.__version__}, TensorFlow {tf.__version__}, {arguments.epochs} epochs, {arguments.threads} thread(s)")
    ratios = []
    for seed in range(3):
        seconds, accuracy = train_xgrad(arguments, seed)
        of_keras, its_accuracy = train_keras(train, test, arguments, seed)
        ratios.append(of_keras / seconds)
        print(f"seed {seed}: xgrad {seconds:6.2f} s, test accuracy {accuracy:.4f};  Keras {of_keras:6.2f} s, "
              f"{its_accuracy:.4f};  {ratios[-1]:.1f} times as long")
    print(f"Keras takes {statistics.median(ratios):.1f} times as long")


if __name__ == "__main__":
    main()
