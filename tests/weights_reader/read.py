"""A safetensors file is read here with the standard library alone, and holds the bits that the program says it saved.

usage: read.py PROGRAM   (the program built from save.cpp); where torch is installed it must read the same values.
"""
import json
import os
import struct
import subprocess
import sys
import tempfile

STORED = {"f32": ("F32", "I", "f"), "f64": ("F64", "Q", "d"), "i64": ("I64", "Q", "q"), "boolean": ("BOOL", "B", "?")}

with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "weights.safetensors")
    printed = subprocess.run([sys.argv[1], path], check=True, capture_output=True, encoding="utf-8").stdout.splitlines()
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = bytearray(file.read())

header.pop("__metadata__", None)
assert len(printed) > 5 and sorted(header) == sorted(line.split(" ")[0] for line in printed), (header, printed)
try:
    import torch
    kinds = {"F32": torch.float32, "F64": torch.float64, "I64": torch.int64, "BOOL": torch.bool}
except ImportError:
    torch = None
for name, dtype, shape, *bits in (line.split(" ") for line in printed):
    entry, (stored, as_bits, as_value) = header[name], STORED[dtype]
    begin, end = entry["data_offsets"]
    assert (entry["dtype"], entry["shape"]) == (stored, [int(n) for n in shape.split(",")[:-1]]), (entry, dtype, shape)
    assert list(struct.unpack(f"<{len(bits)}{as_bits}", data[begin:end])) == [int(b, 16) for b in bits], name
    if torch and bits:
        read = torch.frombuffer(data, dtype=kinds[stored], count=len(bits), offset=begin).reshape(entry["shape"])
        values = list(struct.unpack(f"<{len(bits)}{as_value}", data[begin:end]))
        assert repr(read.flatten().tolist()) == repr(values), name  # as text, because NaN differs from itself
