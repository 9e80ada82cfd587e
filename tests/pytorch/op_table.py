"""Which of PyTorch's ops are compared with which of xgrad's, and where xgrad differs by decision."""
import math

from op_requests import (
    along, arg, binary, cdist, clamp, cosine_similarity, cross, einsum, gelu, hardtanh, index_add, indexed, joined,
    layer_norm, lerp, listed, loss, nan_to_num, norm, normalize, options_of, pad, prelu, reduction, reversed_binary,
    same_shapes, select, shaped, softplus, sort, spread, topk, two, unary, where)

SPECIAL = (math.nan, math.inf, -math.inf, 0.0, -0.0, 1e300, 1e-300)
FUNCTIONAL = "nn.functional."
TRANSLATED = {
    **{name: unary(name) for name in
       """abs acos acosh asin asinh atan atanh ceil cos cosh exp exp2 expm1 erf erfc erfinv floor lgamma digamma log
       log10 log1p log2 logical_not reciprocal rsqrt sigmoid sign sin sinc sinh sqrt square tan tanh isfinite
       isnan""".split()},
    **{FUNCTIONAL + name: unary(name) for name in "relu relu6 hardsigmoid hardswish mish selu silu softsign".split()},
    "neg": unary("negate"), "round": unary("round"), FUNCTIONAL + "logsigmoid": unary("log_sigmoid"),
    "bitwise_not": unary("operator~"),
    "add": binary("operator+", alpha=True), "sub": binary("operator-", alpha=True), "mul": binary("operator*"),
    "div/no_rounding_mode": binary("operator/"), "true_divide": binary("operator/"),
    "__rdiv__": reversed_binary("operator/"), "__rmod__": reversed_binary("remainder"),
    "__radd__": reversed_binary("operator+"), "__rmul__": reversed_binary("operator*"),
    "__rsub__": reversed_binary("operator-"), "__rpow__": reversed_binary("pow"),
    **{name: binary(name) for name in
       """pow atan2 hypot logaddexp xlogy maximum minimum remainder fmod floor_divide logical_and logical_or
       logical_xor""".split()},
    "max/binary": binary("maximum"), "min/binary": binary("minimum"),
    **{name: binary("operator" + sign) for name, sign in
       {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "bitwise_and": "&", "bitwise_or": "|",
        "bitwise_xor": "^"}.items()},
    **{f"polygamma/polygamma_n_{n}": options_of("polygamma", n="n") for n in range(5)},
    FUNCTIONAL + "gelu": gelu, FUNCTIONAL + "softplus": softplus, FUNCTIONAL + "prelu": prelu,
    FUNCTIONAL + "celu": options_of("celu", alpha="alpha"), FUNCTIONAL + "elu": options_of("elu", alpha="alpha"),
    FUNCTIONAL + "leaky_relu": options_of("leaky_relu", negative_slope="slope"),
    FUNCTIONAL + "hardtanh": hardtanh,
    "nan_to_num": nan_to_num, "where": where, "lerp": lerp, "clamp": clamp,
    **{name: reduction(ours) for name, ours in
       {"sum": "sum", "mean": "mean", "nansum": "nansum", "nanmean": "nanmean", "amax": "max", "amin": "min",
        "prod": "prod", "logsumexp": "logsumexp", "all": "all", "any": "any"}.items()},
    "var": spread("variance"), "std": spread("stddev"), "linalg.vector_norm": norm,
    "argmax": arg("argmax"), "argmin": arg("argmin"), "sort": sort, "topk": topk,
    "cumsum": along("cumsum"), "cumprod": along("cumprod"), "softmax": along("softmax"),
    "log_softmax": along("log_softmax"), FUNCTIONAL + "softmin": along("softmin"), FUNCTIONAL + "glu": along("glu", -1),
    "unsqueeze": along("unsqueeze"),
    "matmul": two("matmul"), "mm": two("matmul"), "mv": two("matmul"), "bmm": two("matmul"), "dot": two("dot"),
    "outer": two("outer"), "__rmatmul__": two("matmul", swapped=True), "einsum": einsum,
    FUNCTIONAL + "cosine_similarity": cosine_similarity, FUNCTIONAL + "normalize": normalize, "cdist": cdist,
    "linalg.cross": cross, FUNCTIONAL + "layer_norm": layer_norm,
    "reshape": shaped("reshape"), "broadcast_to": shaped("broadcast_to"), "sum_to_size": shaped("sum_to"),
    "permute": listed("permute", "axes"), "flip": listed("flip", "axes"), "tile": listed("tile", "reps"),
    "cat": joined("concatenate"), "stack": joined("stack"), "select": select, "gather": indexed("gather"),
    "index_select": indexed("take"), "index_add": index_add, FUNCTIONAL + "pad/constant": pad,
    FUNCTIONAL + "mse_loss": same_shapes(loss("mse_loss")), FUNCTIONAL + "l1_loss": same_shapes(loss("l1_loss")),
    FUNCTIONAL + "huber_loss": same_shapes(loss("huber_loss", delta="delta")),
    FUNCTIONAL + "smooth_l1_loss": same_shapes(loss("smooth_l1_loss", beta="beta")),
    FUNCTIONAL + "binary_cross_entropy": same_shapes(loss("binary_cross_entropy", extra=("weight",))),
    FUNCTIONAL + "binary_cross_entropy_with_logits":
        same_shapes(loss("binary_cross_entropy_with_logits", extra=("weight", "pos_weight"))),
    FUNCTIONAL + "cross_entropy": loss("cross_entropy", extra=("weight",), ignore_index="ignore_index",
                                       label_smoothing="label_smoothing"),
    FUNCTIONAL + "nll_loss": loss("nll_loss", extra=("weight",), ignore_index="ignore_index"),
    FUNCTIONAL + "kl_div": same_shapes(loss("kl_div", log_target="log_target")),
    FUNCTIONAL + "gaussian_nll_loss": same_shapes(loss("gaussian_nll_loss", extra=("var",), full="full", eps="eps")),
    FUNCTIONAL + "poisson_nll_loss":
        same_shapes(loss("poisson_nll_loss", log_input="log_input", full="full", eps="eps")),
    FUNCTIONAL + "cosine_embedding_loss":
        same_shapes(loss("cosine_embedding_loss", extra=("labels",), margin="margin")),
}
INTEGERS = {"bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_not"}
ANY, INFINITE, LARGE_OR_TINY = (None, *SPECIAL), (math.inf, -math.inf), (1e300, 1e-300)
# What xgrad has otherwise by decision: ops, the parts that differ, and the special values that make them differ.
DIFFERS = [
    # NaN stays NaN, outside of a domain too, and in a derivative.
    ("abs l1_loss elu celu selu", "gradient", ANY), ("sign", "value", ANY),
    ("log log2 log10 log1p acosh atanh", "gradient", ANY), ("fmod", "gradient", INFINITE),
    # Where PyTorch's derivative is NaN ours is a subgradient, or what an infinite operand leaves.
    ("atan2 hypot", "gradient", (math.inf, -math.inf, 0.0, -0.0, 1e-300)),
    ("logaddexp logsumexp", "gradient", INFINITE),
    # PyTorch computes other / x as other * (1 / x), and takes the base of other ** x for a constant.
    ("__rdiv__", "gradient", (0.0, -0.0, 1e-300)), ("__rpow__", "gradient", ANY),
    ("silu mish softsign", "value gradient", INFINITE), ("amax amin nanmean", "gradient", (math.nan,)),
    ("prod", "gradient", (math.nan, *INFINITE)), ("poisson_nll_loss", "gradient", (-math.inf, 0.0, -0.0)),
    ("kl_div", "value gradient", (-math.inf, 0.0, -0.0)),
    # A NaN passes the limits of these, so that its derivative is 1.
    ("relu6 hardtanh", "gradient", (math.nan,)),
    # PyTorch rounds 1/6 and 1/alpha to f32, drops the small part of softplus past a threshold, and has ten digits of
    # trigamma, infinities of polygamma that do not depend on the sign of 0, and NaN where it ends.
    ("hardsigmoid celu", "gradient", ANY), ("softplus", "value gradient", ANY), ("digamma", "gradient", ANY),
    ("polygamma", "value gradient", ANY),
    # Norms do not overflow here, nor do variances.
    ("cosine_similarity layer_norm std linalg.vector_norm", "value gradient", LARGE_OR_TINY),
    # Logarithms stop at -100, in the derivative by the target too.
    ("binary_cross_entropy", "gradient", (0.0, -0.0, 1e-300)),
    # Targets are checked, and what no axis of an operand goes into is no sum.
    ("binary_cross_entropy_with_logits cosine_embedding_loss gaussian_nll_loss kl_div", "error", SPECIAL),
    ("einsum", "error", ANY),
]


def decided(name, value, part):
    """Whether a difference is one of those above; NaN is not equal to itself, but the same object."""
    op = name.removeprefix(FUNCTIONAL).split("/")[0]
    return any(op in ops.split() and part in parts.split() and any(value is v or value == v for v in values)
               for ops, parts, values in DIFFERS)
