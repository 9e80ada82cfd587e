"""How a sample of PyTorch's is asked of xgrad: functions from a sample to an op's name, its inputs and its options."""
import itertools

import torch

F64 = torch.float64


class Skip(Exception):
    """A sample that asks for what xgrad has not."""


def numbers(values):
    return ",".join(str(int(v)) for v in ([values] if isinstance(values, int) else values))


def arguments(sample, *names):
    """The arguments by name; others are a reason to skip."""
    found = dict(zip(names, sample.args))
    if len(sample.args) > len(names):
        raise Skip
    for name, value in sample.kwargs.items():
        if name not in names:
            raise Skip
        found[name] = value
    return {name: value for name, value in found.items() if value is not None}


def unary(ours):
    def ask(s):
        arguments(s)
        return ours, [s.input], {}
    return ask


def binary(ours, alpha=False):
    def ask(s):
        a = arguments(s, "other", *(["alpha"] if alpha else []))
        if a.get("alpha", 1) != 1:
            raise Skip
        other = a["other"]
        if isinstance(other, torch.Tensor):
            if other.dtype != s.input.dtype:
                raise Skip
            return ours, [s.input, other], {}
        return ours, [s.input], {"right": repr(float(other))}
    return ask


def reversed_binary(ours):
    def ask(s):
        name, inputs, options = binary(ours)(s)
        return name, inputs[::-1], {"left": v for v in options.values()}
    return ask


def options_of(ours, **translated):
    """An op of one input whose numbers have these names here."""
    def ask(s):
        a = arguments(s, *translated)
        return ours, [s.input], {translated[name]: repr(float(v)) for name, v in a.items()}
    return ask


def reduction(ours):
    def ask(s):
        a = arguments(s, "dim", "keepdim")
        if a.get("dim") == []:
            raise Skip
        if s.input.ndim == 0 and "dim" in a:
            raise Skip
        options = {"keepdims": int(a.get("keepdim", False))}
        if "dim" in a:
            options["axes"] = numbers(a["dim"])
        return ours, [s.input], options
    return ask


def spread(ours):
    def ask(s):
        a = arguments(s, "dim", "unbiased", "correction", "keepdim")
        if s.input.ndim == 0:
            raise Skip
        if isinstance(a.get("dim"), bool):
            a = {"unbiased": a["dim"]}
        options = {"keepdims": int(a.get("keepdim", False)),
                   "ddof": a["correction"] if "correction" in a else int(a.get("unbiased", True))}
        if "dim" in a and a["dim"] != []:
            options["axes"] = numbers(a["dim"])
        return ours, [s.input], options
    return ask


def along(ours, default=None):
    def ask(s):
        a = arguments(s, "dim", "dtype")
        if s.input.ndim == 0 or "dtype" in a:
            raise Skip
        return ours, [s.input], {"axis": a.get("dim", default)}
    return ask


def norm(s):
    a = arguments(s, "ord", "dim", "keepdim", "dtype")
    if "dtype" in a or (s.input.ndim == 0 and "dim" in a) or not a.get("ord", 2) > 0:
        raise Skip
    p = float(a.get("ord", 2))
    if torch.tensor(p, dtype=torch.float32).item() != p:
        raise Skip  # which PyTorch rounds to f32
    options = {"p": repr(p), "keepdims": int(a.get("keepdim", False))}
    if "dim" in a:
        options["axes"] = numbers(a["dim"])
    return "norm", [s.input], options


def arg(ours):
    def ask(s):
        a = arguments(s, "dim", "keepdim")
        if s.input.ndim == 0 or ("keepdim" in a and "dim" not in a):
            raise Skip
        options = {"keepdims": int(a.get("keepdim", False))}
        if "dim" in a:
            options["axis"] = a["dim"]
        return ours, [s.input], options
    return ask


def sort(s):
    a = arguments(s, "dim", "descending", "stable")
    if s.input.ndim == 0:
        raise Skip
    return "sort", [s.input], {"axis": a.get("dim", -1), "descending": int(a.get("descending", False))}


def topk(s):
    a = arguments(s, "k", "dim", "largest", "sorted")
    if s.input.ndim == 0 or not a.get("largest", True):
        raise Skip
    return "topk", [s.input], {"k": a["k"], "axis": a.get("dim", -1)}


def gelu(s):
    tanh = arguments(s, "approximate").get("approximate") == "tanh"
    return "gelu", [s.input], {"tanh": 1} if tanh else {}


def hardtanh(s):
    a = arguments(s, "min_val", "max_val")
    low, high = a.get("min_val", -1), a.get("max_val", 1)
    if low >= high:
        raise Skip
    return "hardtanh", [s.input], {"low": repr(float(low)), "high": repr(float(high))}


def softplus(s):
    a = arguments(s, "beta", "threshold")
    return "softplus", [s.input], {"beta": repr(float(a.get("beta", 1)))}


def clamp(s):
    a = arguments(s, "min", "max")
    inputs, options = [s.input], {}
    for name, bound, none in (("low", a.get("min"), "-inf"), ("high", a.get("max"), "inf")):
        if isinstance(bound, torch.Tensor):
            inputs.append(bound)
        else:
            options[name] = none if bound is None else repr(float(bound))
    return "clamp", inputs, options


def nan_to_num(s):
    a = arguments(s, "nan", "posinf", "neginf")
    names = {"nan": "nan", "posinf": "infinity", "neginf": "negative_infinity"}
    return "nan_to_num", [s.input], {names[k]: repr(float(v)) for k, v in a.items()}


def where(s):
    condition, other = s.args
    if other.dtype != s.input.dtype:
        raise Skip
    return "where", [condition, s.input, other], {}


def lerp(s):
    a = arguments(s, "end", "weight")
    if isinstance(a["weight"], torch.Tensor):
        return "lerp", [s.input, a["end"], a["weight"]], {}
    if isinstance(a["weight"], complex):
        raise Skip
    return "lerp", [s.input, a["end"]], {"weight": repr(float(a["weight"]))}


def two(ours, swapped=False):
    def ask(s):
        inputs = [s.input, arguments(s, "other")["other"]]
        return ours, inputs[::-1] if swapped else inputs, {}
    return ask


def cosine_similarity(s):
    a = arguments(s, "other", "dim", "eps")
    if s.input.ndim == 0:
        raise Skip
    return "cosine_similarity", [s.input, a["other"]], {"axis": a.get("dim", 1), "eps": repr(a.get("eps", 1e-8))}


def normalize(s):
    a = arguments(s, "p", "dim", "eps")
    if not a.get("p", 2.) > 0 or s.input.ndim == 0:
        raise Skip
    return "normalize", [s.input], {"p": repr(float(a.get("p", 2))), "axis": a.get("dim", 1),
                                    "eps": repr(a.get("eps", 1e-12))}


def cdist(s):
    a = arguments(s, "other", "p", "compute_mode")
    if not a.get("p", 2.) > 0:
        raise Skip
    return "cdist", [s.input, a["other"]], {"p": repr(float(a.get("p", 2)))}


def cross(s):
    a = arguments(s, "other", "dim")
    return "cross", [s.input, a["other"]], {"axis": a.get("dim", -1)}


def layer_norm(s):
    a = arguments(s, "shape", "weight", "bias", "eps")
    if ("weight" not in a and "bias" in a) or a.get("eps", 0) < 0:
        raise Skip
    return ("layer_norm", [s.input] + [a[k] for k in ("weight", "bias") if k in a],
            {"shape": numbers(a["shape"]), "eps": repr(a.get("eps", 1e-5))})


def shaped(ours):
    def ask(s):
        shape = s.args[0] if not isinstance(s.args[0], int) else s.args
        if len(shape) == 0 or s.kwargs:
            raise Skip
        return ours, [s.input], {"shape": numbers(shape)}
    return ask


def listed(ours, option):
    def ask(s):
        values = [*s.args, *s.kwargs.values()][0]
        values = s.args if isinstance(values, int) else values
        if s.input.ndim == 0 and len(values):
            raise Skip
        return ours, [s.input], {option: numbers(values)} if len(values) else {}
    return ask


def joined(ours):
    def ask(s):
        a = arguments(s, "dim")
        parts = list(s.input)
        if any(p.dtype != F64 for p in parts) or (ours == "concatenate" and len({p.ndim for p in parts}) > 1):
            raise Skip
        return ours, parts, {"axis": a.get("dim", 0)}
    return ask


def select(s):
    a = arguments(s, "dim", "index")
    return "select", [s.input], {"axis": a["dim"], "index": a["index"]}


def indexed(ours):
    def ask(s):
        a = arguments(s, "dim", "index")
        if s.input.ndim == 0:
            raise Skip
        others = [d for d in range(s.input.ndim) if d != a["dim"] % s.input.ndim]
        if ours == "gather" and any(s.input.shape[d] != a["index"].shape[d] for d in others):
            raise Skip
        return ours, [s.input, a["index"]], {"axis": a["dim"]}
    return ask


def index_add(s):
    a = arguments(s, "dim", "index", "source", "alpha")
    if s.input.ndim == 0 or a["index"].ndim != 1:
        raise Skip
    return "index_add", [s.input, a["index"], a["source"]], {"axis": a["dim"], "alpha": repr(float(a.get("alpha", 1)))}


def pad(s):
    a = arguments(s, "pad", "mode", "value")
    flat = list(a["pad"])
    if a.get("mode", "constant") != "constant" or min(flat, default=0) < 0:
        raise Skip
    pairs = [(0, 0)] * (s.input.ndim - len(flat) // 2) + [tuple(flat[i:i + 2]) for i in range(len(flat) - 2, -1, -2)]
    return "pad", [s.input], {"widths": numbers(itertools.chain(*pairs)), "value": repr(float(a.get("value", 0)))}


def einsum(s):
    return "einsum", list(s.input), {"formula": s.args[0].replace(" ", "")}


def prelu(s):
    return "prelu", [s.input, arguments(s, "weight")["weight"]], {}


def loss(ours, extra=(), **translated):
    """A loss of prediction, target and `extra` inputs, whose options have the names on the right here."""
    def ask(s):
        names = ["target", *extra]
        a = dict(zip(names, s.args))
        a.update(s.kwargs)
        a = {k: v for k, v in a.items() if v is not None}
        if a.keys() - {*names, "reduction", *translated}:
            raise Skip
        inputs = [s.input] + [a[k] for k in names if k in a]
        options = {"reduction": {"batchmean": "batch_mean"}.get(a.get("reduction", "mean"), a.get("reduction", "mean"))}
        for name in names[1:]:
            if name in a:
                options[name] = 1
        options.update({translated[k]: repr(float(a[k])) if isinstance(a[k], float) else int(a[k])
                        for k in translated if k in a})
        if inputs[0].ndim == 0 or inputs[0].numel() == 0:
            raise Skip
        return ours, inputs, options
    return ask


def same_shapes(ask):
    def strict(s):
        name, inputs, options = ask(s)
        if inputs[0].shape != inputs[1].shape:
            raise Skip
        return name, inputs, options
    return strict
