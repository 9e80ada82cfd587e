#include <autograd/explain/formulas.hpp>

namespace xgrad::detail {
namespace {

constexpr const char* moved = "y holds the numbers of x, some of them at other places";

// clang-format off
constexpr OpFormula formulas[] = {
    {"add", {"a", "b"}, "y = a + b", {"1", "1"}},
    {"subtract", {"a", "b"}, "y = a − b", {"1", "−1"}},
    {"multiply", {"a", "b"}, "y = a · b", {"b", "a"}},
    {"divide", {"a", "b"}, "y = a / b", {"1 / b", "−y / b"}},
    {"negate", {"x"}, "y = −x", {"−1"}},
    {"pow", {"a", "b"}, "y = a<sup>b</sup>", {"b · a<sup>b − 1</sup>", "y · ln a"}},
    {"square", {"x"}, "y = x²", {"2x"}},
    {"abs", {"x"}, "y = |x|", {"1 if x &gt; 0, −1 if x &lt; 0"}},
    {"sign", {"x"}, "y = the sign of x", {"0"}},
    {"floor", {"x"}, "y = x, rounded down", {"0: y does not move until it jumps"}},
    {"ceil", {"x"}, "y = x, rounded up", {"0: y does not move until it jumps"}},
    {"round", {"x"}, "y = x, rounded", {"0: y does not move until it jumps"}},
    {"sqrt", {"x"}, "y = √x", {"1 / (2y)"}},
    {"rsqrt", {"x"}, "y = 1 / √x", {"−y³ / 2"}},
    {"exp", {"x"}, "y = e<sup>x</sup>", {"y"}},
    {"expm1", {"x"}, "y = e<sup>x</sup> − 1", {"y + 1"}},
    {"log", {"x"}, "y = ln x", {"1 / x"}},
    {"log1p", {"x"}, "y = ln(1 + x)", {"1 / (1 + x)"}},
    {"sin", {"x"}, "y = sin x", {"cos x"}},
    {"cos", {"x"}, "y = cos x", {"−sin x"}},
    {"tan", {"x"}, "y = tan x", {"1 + y²"}},
    {"asin", {"x"}, "y = arcsin x", {"1 / √(1 − x²)"}},
    {"acos", {"x"}, "y = arccos x", {"−1 / √(1 − x²)"}},
    {"one_less_square", {"x"}, "y = 1 − x²", {"−2x"}},
    {"atan_slope", {"x"}, "y = 1 / (1 + x²)", {"−2x · y²"}},
    {"atan", {"x"}, "y = arctan x", {"1 / (1 + x²)"}},
    {"atan2", {"a", "b"}, "y = the angle of the point (b, a)", {"b / (a² + b²)", "−a / (a² + b²)"}},
    {"sinh", {"x"}, "y = sinh x", {"cosh x"}},
    {"cosh", {"x"}, "y = cosh x", {"sinh x"}},
    {"tanh", {"x"}, "y = tanh x", {"1 − y²"}},
    {"erf", {"x"}, "y = erf x", {"2/√π · e<sup>−x²</sup>"}},
    {"erfc", {"x"}, "y = 1 − erf x", {"−2/√π · e<sup>−x²</sup>"}},
    {"where", {"m", "a", "b"}, "y = a where the condition m holds, b elsewhere",
     {"0", "1 where m holds, 0 elsewhere", "0 where m holds, 1 elsewhere"}},
    {"minimum", {"a", "b"}, "y = the smaller of a and b", {"1 if a is the smaller, else 0", "1 if b is the smaller, else 0"}},
    {"maximum", {"a", "b"}, "y = the larger of a and b", {"1 if a is the larger, else 0", "1 if b is the larger, else 0"}},
    {"clamp", {"x"}, "y = x, limited to a range", {"1 inside the range, 0 outside"}},
    {"sum", {"x"}, "y = x<sub>1</sub> + x<sub>2</sub> + … + x<sub>n</sub>", {"1"}},
    {"mean", {"x"}, "y = (x<sub>1</sub> + x<sub>2</sub> + … + x<sub>n</sub>) / n", {"1 / n"}},
    {"prod", {"x"}, "y = x<sub>1</sub> · x<sub>2</sub> · … · x<sub>n</sub>", {"the product of all the others"}},
    {"max", {"x"}, "y = the largest x", {"1 for the largest, 0 for all others"}},
    {"min", {"x"}, "y = the smallest x", {"1 for the smallest, 0 for all others"}},
    {"logsumexp", {"x"}, "y = ln(e<sup>x<sub>1</sub></sup> + … + e<sup>x<sub>n</sub></sup>)", {"e<sup>x − y</sup>"}},
    {"variance", {"x"}, "y = the mean of (x − m)², where m is the mean of x", {"2 (x − m) / n"}},
    {"stddev", {"x"}, "y = the root of the mean of (x − m)², where m is the mean of x", {"(x − m) / (n · y)"}},
    {"centre", {"x"}, "y = x − m, where m is the mean of x", {"1 − 1/n for the same place, −1/n for the others"}},
    {"norm", {"x"}, "y = √(x<sub>1</sub>² + … + x<sub>n</sub>²), or with another power than 2", {"x / y for power 2"}},
    {"cumsum", {"x"}, "y = the sum of x up to this place", {"1 for a place up to this one, else 0"}},
    {"cumprod", {"x"}, "y = the product of x up to this place", {"the product of the others up to this place"}},
    {"matmul", {"a", "b"}, "y[i, j] = Σ<sub>k</sub> a[i, k] · b[k, j]", {"b[k, j]", "a[i, k]"}},
    {"dense", {"x", "w", "b"}, "y[i, j] = Σ<sub>k</sub> x[i, k] · w[k, j] + b[j]", {"w[k, j]", "x[i, k]", "1"}},
    {"sigmoid", {"x"}, "y = σ(x) = 1 / (1 + e<sup>−x</sup>)", {"y · (1 − y)"}},
    {"relu", {"x"}, "y = x if x &gt; 0, else 0", {"1 if x &gt; 0, else 0"}},
    {"relu_grad", {"a", "b"}, "y = a if b &gt; 0, else 0", {"1 if b &gt; 0, else 0", "0"}},
    {"sigmoid_grad", {"a", "b"}, "y = a · σ(b) · σ(−b)", {"σ(b) · σ(−b)", "−y · tanh(b / 2)"}},
    {"tanh_grad", {"a", "b"}, "y = a / cosh² b", {"1 / cosh² b", "−2y · tanh b"}},
    {"gelu", {"x"}, "y = x · Φ(x), where Φ is the normal distribution function", {"Φ(x) + x · φ(x), where φ is the bell curve"}},
    {"silu", {"x"}, "y = x · σ(x), where σ(x) = 1 / (1 + e<sup>−x</sup>)", {"σ(x) · (1 + x · (1 − σ(x)))"}},
    {"softplus", {"x"}, "y = ln(1 + e<sup>x</sup>)", {"σ(x) = 1 / (1 + e<sup>−x</sup>)"}},
    {"log_sigmoid", {"x"}, "y = −ln(1 + e<sup>−x</sup>)", {"1 − e<sup>y</sup>"}},
    {"softmax", {"x"}, "y<sub>i</sub> = e<sup>x<sub>i</sub></sup> / Σ<sub>k</sub> e<sup>x<sub>k</sub></sup>",
     {"y<sub>i</sub> · (1 − y<sub>i</sub>) for the same place, −y<sub>i</sub> · y<sub>k</sub> for another"}},
    {"log_softmax", {"x"}, "y<sub>i</sub> = x<sub>i</sub> − ln Σ<sub>k</sub> e<sup>x<sub>k</sub></sup>",
     {"1 − e<sup>y<sub>i</sub></sup> for the same place, −e<sup>y<sub>k</sub></sup> for another"}},
    {"bce_with_logits", {"z", "t"},
     "y = −t · ln p − (1 − t) · ln(1 − p), where p = σ(z) = 1 / (1 + e<sup>−z</sup>); the mean of that if y is one number for n of z",
     {"p − t; divided by n for the mean", "−z; divided by n for the mean"}},
    {"binary_cross_entropy", {"p", "t"}, "y = −t · ln p − (1 − t) · ln(1 − p)", {"(p − t) / (p · (1 − p))", "ln(1 − p) − ln p"}},
    {"masked_scale", {"x"}, "y = x · s where dropout keeps it, 0 elsewhere", {"s where it is kept, 0 elsewhere"}},
    {"broadcast_to", {"x"}, "y repeats x", {"1"}},
    {"sum_to", {"x"}, "y = the sum of the x that were repeated", {"1"}},
    {"index_add", {"x", "i", "s"}, "y = x with s added at the places i", {"1", "0", "1"}},
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
    {"scatter_add", {"x"}, moved, {"1"}},
    {"pad", {"x"}, moved, {"1"}},
    {"concatenate", {"x"}, moved, {"1"}},
    {"clone", {"x"}, "y = x", {"1"}},
    {"to", {"x"}, "y = x, as another type of number", {"1"}},
};
// clang-format on

}  // namespace

const OpFormula* formula_of(std::string_view op) {
  for (const OpFormula& formula : formulas)
    if (formula.name == op) return &formula;
  return nullptr;
}

}  // namespace xgrad::detail
