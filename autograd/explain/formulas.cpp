#include <autograd/explain/formulas.hpp>
#include <autograd/kernels/binary.hpp>
#include <autograd/kernels/unary.hpp>

/// The formulas that explanations show.
namespace xgrad::detail {
namespace {

constexpr const char* moved = "y holds the numbers of x, some of them at other places";

constexpr const char* through_time =
    "the sum over all steps: of each what it adds, times how the later states follow from its own";

using kernels::Binary, kernels::Elementwise, kernels::Notation, kernels::Unary;

constexpr OpFormula of_x(const char* name, const Notation& n) { return {name, {"x"}, n.value, {n.derivatives[0]}}; }
constexpr OpFormula of_two(const char* name, const Notation& n) {
  return {name, {n.inputs[0], n.inputs[1]}, n.value, {n.derivatives[0], n.derivatives[1]}};
}

/// The kernels' formulas, and those of the ops that have no kernel of their name.
// clang-format off
#define XGRAD_UNARY(name) of_x(#name, Elementwise<Unary::name>::notation),
#define XGRAD_BINARY(name) of_two(#name, Elementwise<Binary::name>::notation),
constexpr OpFormula formulas[] = {
    XGRAD_UNARY_KERNELS(XGRAD_UNARY)
    XGRAD_BINARY_KERNELS(XGRAD_BINARY)
    {"logarithm_domain", {"x"}, "y = x, where ln x is a number", {"1"}},
    {"one_less_square", {"x"}, "y = 1 − x²", {"−2x"}},
    {"atan_slope", {"x"}, "y = 1 / (1 + x²)", {"−2x · y²"}},
    {"erf_slope", {"x"}, "y = 2/√π · e<sup>−x²</sup>", {"−2x · y"}},
    {"where", {"m", "a", "b"}, "y = a where the condition m holds, b elsewhere",
     {"0", "1 where m holds, 0 elsewhere", "0 where m holds, 1 elsewhere"}},
    {"clamp", {"x", "a", "b"}, "y = x, limited to the range from a to b",
     {"1 inside the range, 0 outside", "1 below the range, else 0", "1 above the range, else 0"}},
    {"sum", {"x"}, "y = x<sub>1</sub> + x<sub>2</sub> + … + x<sub>n</sub>", {"1"}},
    {"mean", {"x"}, "y = (x<sub>1</sub> + x<sub>2</sub> + … + x<sub>n</sub>) / n", {"1 / n"}},
    {"prod", {"x"}, "y = x<sub>1</sub> · x<sub>2</sub> · … · x<sub>n</sub>", {"the product of all the others"}},
    {"max", {"x"}, "y = the largest x", {"1 for the largest, 0 for all others"}},
    {"min", {"x"}, "y = the smallest x", {"1 for the smallest, 0 for all others"}},
    {"logsumexp", {"x"}, "y = ln(e<sup>x<sub>1</sub></sup> + … + e<sup>x<sub>n</sub></sup>)", {"e<sup>x − y</sup>"}},
    {"variance", {"x"}, "y = the mean of (x − m)², where m is the mean of x", {"2 (x − m) / n"}},
    {"stddev", {"x"}, "y = the root of the mean of (x − m)², where m is the mean of x", {"(x − m) / (n · y)"}},
    {"centre", {"x"}, "y = x − m, where m is the mean of x", {"1 − 1/n for the same place, −1/n for the others"}},
    {"layer_norm", {"x", "w", "b"}, "y = z · w + b, where z = (x − m) / √(v + ε), m is the mean of x and v its variance; w is 1 and b is 0 unless they are given",
     {"w · (1 − 1/n − z²/n) / √(v + ε) for the same place, −w · (1 + z<sub>i</sub> · z<sub>k</sub>) / (n · √(v + ε)) for another", "z", "1"}},
    {"channel_affine", {"x", "w", "b"}, "y = x · w[c] + b[c] in channel c", {"w[c]", "x", "1"}},
    {"group_norm", {"x"}, "y = (x − m) / √(v + ε), where m is the mean of x in its group and v the variance",
     {"(1 − 1/n − y²/n) / √(v + ε) for the same place, −(1 + y<sub>i</sub> · y<sub>k</sub>) / (n · √(v + ε)) for another"}},
    {"batch_norm", {"x"}, "y = (x − m) / √(v + ε), where m is the mean of x in its channel and v the variance",
     {"(1 − 1/n − y²/n) / √(v + ε) for the same place, −(1 + y<sub>i</sub> · y<sub>k</sub>) / (n · √(v + ε)) for another"}},
    {"rms_norm", {"x", "w"}, "y = z · w, where z = x / √(s + ε) and s is the mean of x²; w is 1 unless it is given",
     {"w · (1 − z²/n) / √(s + ε) for the same place, −w · z<sub>i</sub> · z<sub>k</sub> / (n · √(s + ε)) for another", "z"}},
    {"norm", {"x"}, "y = √(x<sub>1</sub>² + … + x<sub>n</sub>²), or with another power than 2", {"x / y for power 2"}},
    {"quantile", {"a", "b"}, "y = (1 − s) · a + s · b, a share s of the way from one number of the order to the next", {"1 − s", "s"}},
    {"cumsum", {"x"}, "y = the sum of x up to this place", {"1 for a place up to this one, else 0"}},
    {"cumprod", {"x"}, "y = the product of x up to this place", {"the product of the others up to this place"}},
    {"matmul", {"a", "b"}, "y[i, j] = Σ<sub>k</sub> a[i, k] · b[k, j]", {"b[k, j]", "a[i, k]"}},
    {"linalg::cholesky", {"a"}, "y · y<sup>T</sup> = a, with zeros above the diagonal of y", {"y · Φ(y<sup>−1</sup> · E · y<sup>−T</sup>) for the matrix E of one 1, where Φ keeps the lower triangle and half of the diagonal"}},
    {"linalg::solve", {"a", "b"}, "a · y = b", {"−a<sup>−1</sup>[i, j] · y[k, l] for y[i, l] and a[j, k]", "a<sup>−1</sup>[i, k]"}},
    {"linalg::solve_triangular", {"a", "b"}, "a · y = b", {"−a<sup>−1</sup>[i, j] · y[k, l] for y[i, l] and a[j, k]", "a<sup>−1</sup>[i, k]"}},
    {"linalg::inv", {"a"}, "y = a<sup>−1</sup>", {"−y[i, k] · y[l, j] for y[i, j] and a[k, l]"}},
    {"linalg::det", {"a"}, "y = det a", {"y · a<sup>−1</sup>[l, k] for a[k, l]"}},
    {"linalg::slogdet", {"a"}, "y = ln |det a|", {"a<sup>−1</sup>[l, k] for a[k, l]"}},
    {"linalg::qr", {"a"}, "q · r = a, with orthonormal columns in q and zeros below the diagonal of r", {"q<sup>T</sup> · E · r<sup>−1</sup>, for the matrix E of one 1, splits into a rotation of q and a change of r"}},
    {"linalg::eigh", {"a"}, "v · diag(w) · v<sup>T</sup> = a, with eigenvalues w and eigenvectors v", {"v[i, k] · v[j, k] for w[k] and a[i, j]; v[i, l] · v[j, k] / (w[k] − w[l]) of v[·, l] for v[·, k]"}},
    {"linalg::svd", {"a"}, "u · diag(s) · v<sup>T</sup> = a, with singular values s", {"u[i, k] · v[j, k] for s[k] and a[i, j]"}},
    {"linalg::pinv", {"a"}, "y = the pseudo-inverse of a", {"−y[i, k] · y[l, j] for y[i, j] and a[k, l], where a is square"}},
    {"dense", {"x", "w", "b"}, "y[i, j] = Σ<sub>k</sub> x[i, k] · w[k, j] + b[j]", {"w[k, j]", "x[i, k]", "1"}},
    {"conv", {"x", "w", "b"}, "y[o, p] = Σ<sub>c, k</sub> w[o, c, k] · x[c, p + k] + b[o]",
     {"w[o, c, k]", "x[c, p + k]", "1"}},
    {"conv_transpose", {"x", "w", "b"}, "y[o, p + k] = Σ<sub>c</sub> w[c, o, k] · x[c, p] + b[o], summed where they meet",
     {"w[c, o, k]", "x[c, p]", "1"}},
    {"conv_weights", {"x", "g"}, "y[o, c, k] = Σ<sub>p</sub> g[o, p] · x[c, p + k]", {"g[o, p]", "x[c, p + k]"}},
    {"max_pool", {"x"}, "y = the largest x of each window", {"1 for the largest, 0 for all others"}},
    {"softmax", {"x"}, "y<sub>i</sub> = e<sup>x<sub>i</sub></sup> / Σ<sub>k</sub> e<sup>x<sub>k</sub></sup>",
     {"y<sub>i</sub> · (1 − y<sub>i</sub>) for the same place, −y<sub>i</sub> · y<sub>k</sub> for another"}},
    {"log_softmax", {"x"}, "y<sub>i</sub> = x<sub>i</sub> − ln Σ<sub>k</sub> e<sup>x<sub>k</sub></sup>",
     {"1 − e<sup>y<sub>i</sub></sup> for the same place, −e<sup>y<sub>k</sub></sup> for another"}},
    {"scaled_dot_product_attention", {"q", "k", "v"},
     "y<sub>i</sub> = Σ<sub>j</sub> p<sub>ij</sub> · v<sub>j</sub>, where p<sub>i</sub> = softmax(s · q<sub>i</sub> · k<sub>j</sub> + mask)",
     {"s · Σ<sub>j</sub> p<sub>ij</sub> · v<sub>j</sub> · (k<sub>j</sub> − Σ<sub>l</sub> p<sub>il</sub> · k<sub>l</sub>)",
      "s · p<sub>ij</sub> · (v<sub>j</sub> − y<sub>i</sub>) · q<sub>i</sub>", "p<sub>ij</sub>"}},
    {"rnn", {"x", "W", "U", "b", "h"}, "y<sub>t</sub> = tanh(x<sub>t</sub> · W + y<sub>t−1</sub> · U + b), beginning with h",
     {through_time, through_time, through_time, through_time, through_time}},
    {"gru", {"x", "W", "U", "b", "h"},
     "y<sub>t</sub> = (1 − u) · n + u · y<sub>t−1</sub>, where u and r are σ(x<sub>t</sub> · W + y<sub>t−1</sub> · U + b) "
     "and n = tanh(x<sub>t</sub> · W + b + r · (y<sub>t−1</sub> · U + b′))",
     {through_time, through_time, through_time, through_time, through_time}},
    {"lstm", {"x", "W", "U", "b", "h", "c"},
     "y<sub>t</sub> = o · tanh(c<sub>t</sub>), where c<sub>t</sub> = f · c<sub>t−1</sub> + i · g, g = tanh(x<sub>t</sub> · W + y<sub>t−1</sub> · U + b), "
     "and i, f, o likewise with σ",
     {through_time, through_time, through_time, through_time, through_time, through_time}},
    {"lstm_cell", {"x", "W", "U", "b", "h", "c"},
     "y = c<sub>t</sub> after the last step, where c<sub>t</sub> = f · c<sub>t−1</sub> + i · g",
     {through_time, through_time, through_time, through_time, through_time, through_time}},
    {"weighted_bce_with_logits", {"z", "t"},
     "y = −w · t · ln p − (1 − t) · ln(1 − p), where p = σ(z) = 1 / (1 + e<sup>−z</sup>)",
     {"(1 − t) · p − w · t · (1 − p)", "ln(1 − p) − w · ln p"}},
    {"binary_cross_entropy", {"p", "t"}, "y = −t · ln p − (1 − t) · ln(1 − p)", {"(p − t) / (p · (1 − p))", "ln(1 − p) − ln p"}},
    {"masked_scale", {"x"}, "y = x · s where dropout keeps it, 0 elsewhere", {"s where it is kept, 0 elsewhere"}},
    {"broadcast_to", {"x"}, "y repeats x", {"1"}},
    {"sum_to", {"x"}, "y = the sum of the x that were repeated", {"1"}},
    {"index_add", {"x", "i", "s"}, "y = x with s added at the places i", {"1", "0", "1"}},
    {"scatter_add", {"x", "i", "s"}, "y = x with s added at the places i", {"1", "0", "1"}},
    {"index_put", {"x", "i", "s"}, "y = x with s in place of what stood at the places i",
     {"1 where x stays, 0 elsewhere", "0", "1 for the last s of a place, 0 for others"}},
    {"reshape", {"x"}, moved, {"1"}},
    {"flatten", {"x"}, moved, {"1"}},
    {"squeeze", {"x"}, moved, {"1"}},
    {"unsqueeze", {"x"}, moved, {"1"}},
    {"permute", {"x"}, moved, {"1"}},
    {"flip", {"x"}, moved, {"1"}},
    {"slice", {"x"}, moved, {"1"}},
    {"unslice", {"x"}, moved, {"1"}},
    {"take", {"x"}, moved, {"1"}},
    {"untake", {"x"}, moved, {"1"}},
    {"gather", {"x"}, moved, {"1"}},
    {"ungather", {"x"}, moved, {"1"}},
    {"diagonal", {"x"}, moved, {"1"}},
    {"undiagonal", {"x"}, moved, {"1"}},
    {"roll", {"x"}, moved, {"1"}},
    {"unfold", {"x"}, moved, {"1"}},
    {"fold", {"x"}, "y = the sum of the x that windows share", {"1"}},
    {"pad", {"x"}, moved, {"1"}},
    {"concatenate", {"x"}, moved, {"1"}},
    {"clone", {"x"}, "y = x", {"1"}},
    {"to", {"x"}, "y = x, as another type of number", {"1"}},
};
// clang-format on
#undef XGRAD_UNARY
#undef XGRAD_BINARY

}  // namespace

const OpFormula* formula_of(std::string_view op) {
  for (const OpFormula& formula : formulas)
    if (formula.name == op) return &formula;
  return nullptr;
}

}  // namespace xgrad::detail
