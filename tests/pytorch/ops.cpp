// Computes ops and losses as tests/pytorch/ops.py asks. A request is a line `NAME option=value ...`, a line with the
// number of inputs, and for each a line `DTYPE size ...` with its elements in binary behind it. The answer is `ok
// COUNT` and, in the same form, the result and the gradients of the floating inputs along a cotangent from 0.5 to 1.5;
// or `error WORDS`.
#include <cstdio>
#include <functional>
#include <iostream>
#include <map>
#include <sstream>
#include <xgrad.hpp>

using namespace xgrad;

namespace {

struct Request {
  std::string name;
  std::map<std::string, std::string> options;
  std::vector<Tensor> inputs;

  const Tensor& operator[](std::size_t i) const { return inputs.at(i); }
  bool has(const std::string& option) const { return options.contains(option); }
  double number(const std::string& option, double otherwise = 0) const {
    return has(option) ? std::stod(options.at(option)) : otherwise;
  }
  int whole(const std::string& option, int otherwise = 0) const {
    return has(option) ? std::stoi(options.at(option)) : otherwise;
  }
  std::vector<std::int64_t> list(const std::string& option) const {
    std::vector<std::int64_t> all;
    if (!has(option)) return all;
    std::istringstream words(options.at(option));
    for (std::string word; std::getline(words, word, ',');) all.push_back(std::stoll(word));
    return all;
  }
  std::vector<int> axes(const std::string& option = "axes") const {
    const std::vector<std::int64_t> all = list(option);
    return {all.begin(), all.end()};
  }
  bool keepdims() const { return whole("keepdims") != 0; }
  nn::Reduction reduction() const {
    const std::string& r = options.at("reduction");
    return r == "mean"   ? nn::Reduction::mean
           : r == "sum"  ? nn::Reduction::sum
           : r == "none" ? nn::Reduction::none
                         : nn::Reduction::batch_mean;
  }
  /// The optional input behind the first `count`.
  Tensor rest(std::size_t count) const { return inputs.size() > count ? inputs[count] : Tensor(); }
};

using Run = std::function<Tensor(const Request&)>;

Run unary(Tensor (*f)(const Operand&)) {
  return [f](const Request& r) { return f(r[0]); };
}
/// A plain number may stand on either side.
Run binary(Tensor (*f)(const Operand&, const Operand&)) {
  return [f](const Request& r) {
    if (r.has("right")) return f(r[0], r.number("right"));
    if (r.has("left")) return f(r.number("left"), r[0]);
    return f(r[0], r[1]);
  };
}
Run reduction(Tensor (*f)(const Operand&, const Axes&, bool)) {
  return [f](const Request& r) { return f(r[0], r.axes(), r.keepdims()); };
}
Run along(Tensor (*f)(const Operand&, int)) {
  return [f](const Request& r) { return f(r[0], r.whole("axis")); };
}

/// A limit of clamp: an input, a number, or what does not limit.
Operand limit(const Request& r, const char* option, std::size_t& next) {
  if (r.has(option)) return r.number(option);
  return r[next++];
}

#define UNARY(name) {#name, unary(xgrad::name)},
#define BINARY(name) {#name, binary(xgrad::name)},
#define REDUCTION(name) {#name, reduction(xgrad::name)},
#define ALONG(name) {#name, along(xgrad::name)},

const std::map<std::string, Run>& elementwise() {
  static const std::map<std::string, Run> runs{
      // clang-format off
      UNARY(abs) UNARY(acos) UNARY(acosh) UNARY(asin) UNARY(asinh) UNARY(atan) UNARY(atanh) UNARY(ceil) UNARY(cos)
      UNARY(cosh) UNARY(exp) UNARY(exp2) UNARY(expm1) UNARY(erf) UNARY(erfc) UNARY(erfinv) UNARY(floor) UNARY(lgamma)
      UNARY(digamma) UNARY(log) UNARY(log10) UNARY(log1p) UNARY(log2) UNARY(logical_not) UNARY(reciprocal) UNARY(round)
      UNARY(rsqrt) UNARY(sigmoid) UNARY(sign) UNARY(sin) UNARY(sinc) UNARY(sinh) UNARY(sqrt) UNARY(square) UNARY(tan)
      UNARY(tanh) UNARY(isfinite) UNARY(isnan) UNARY(relu) UNARY(relu6) UNARY(hardsigmoid) UNARY(hardswish) UNARY(mish)
      UNARY(selu) UNARY(silu) UNARY(log_sigmoid) UNARY(softsign)
      BINARY(operator+) BINARY(operator-) BINARY(operator*) BINARY(operator/) BINARY(pow) BINARY(atan2) BINARY(hypot)
      BINARY(logaddexp) BINARY(xlogy) BINARY(maximum) BINARY(minimum) BINARY(remainder) BINARY(fmod)
      BINARY(floor_divide) BINARY(operator==) BINARY(operator!=) BINARY(operator<) BINARY(operator<=) BINARY(operator>)
      BINARY(operator>=) BINARY(logical_and) BINARY(logical_or) BINARY(logical_xor) BINARY(operator&) BINARY(operator|)
      BINARY(operator^)
      // clang-format on
      {"negate", [](const Request& r) { return -r[0]; }},
      {"operator~", [](const Request& r) { return ~r[0]; }},
      {"polygamma", [](const Request& r) { return polygamma(r.whole("n"), r[0]); }},
      {"gelu", [](const Request& r) { return gelu(r[0], {.tanh = r.has("tanh")}); }},
      {"softplus", [](const Request& r) { return softplus(r[0], r.number("beta", 1)); }},
      {"celu", [](const Request& r) { return celu(r[0], r.number("alpha", 1)); }},
      {"elu", [](const Request& r) { return elu(r[0], r.number("alpha", 1)); }},
      {"leaky_relu", [](const Request& r) { return leaky_relu(r[0], r.number("slope", .01)); }},
      {"hardtanh", [](const Request& r) { return hardtanh(r[0], r.number("low", -1), r.number("high", 1)); }},
      {"prelu", [](const Request& r) { return prelu(r[0], r[1]); }},
      {"nan_to_num",
       [](const Request& r) {
         NanToNumOptions options{.nan = r.number("nan")};
         if (r.has("infinity")) options.infinity = r.number("infinity");
         if (r.has("negative_infinity")) options.negative_infinity = r.number("negative_infinity");
         return nan_to_num(r[0], options);
       }},
      {"where", [](const Request& r) { return where(r[0], r[1], r[2]); }},
      {"lerp", [](const Request& r) { return r.has("weight") ? lerp(r[0], r[1], r.number("weight")) : lerp(r[0], r[1], r[2]); }},
      {"clamp",
       [](const Request& r) {
         std::size_t next = 1;
         const Operand low = limit(r, "low", next), high = limit(r, "high", next);
         return clamp(r[0], low, high);
       }},
  };
  return runs;
}

const std::map<std::string, Run>& along_axes() {
  static const std::map<std::string, Run> runs{
      // clang-format off
      REDUCTION(sum) REDUCTION(mean) REDUCTION(prod) REDUCTION(max) REDUCTION(min) REDUCTION(nansum) REDUCTION(nanmean)
      REDUCTION(logsumexp) REDUCTION(all) REDUCTION(any)
      ALONG(cumsum) ALONG(cumprod) ALONG(softmax) ALONG(log_softmax) ALONG(softmin) ALONG(glu) ALONG(unsqueeze)
      ALONG(squeeze)
      // clang-format on
      {"variance", [](const Request& r) { return variance(r[0], r.axes(), r.keepdims(), r.whole("ddof")); }},
      {"stddev", [](const Request& r) { return stddev(r[0], r.axes(), r.keepdims(), r.whole("ddof")); }},
      {"norm", [](const Request& r) { return norm(r[0], r.axes(), r.keepdims(), r.number("p", 2)); }},
      {"argmax",
       [](const Request& r) { return r.has("axis") ? argmax(r[0], r.whole("axis"), r.keepdims()) : argmax(r[0]); }},
      {"argmin",
       [](const Request& r) { return r.has("axis") ? argmin(r[0], r.whole("axis"), r.keepdims()) : argmin(r[0]); }},
      {"sort", [](const Request& r) { return sort(r[0], r.whole("axis"), r.whole("descending") != 0).values; }},
      {"topk", [](const Request& r) { return topk(r[0], r.whole("k"), r.whole("axis")).values; }},
      {"cosine_similarity",
       [](const Request& r) { return cosine_similarity(r[0], r[1], r.whole("axis"), r.number("eps", 1e-8)); }},
      {"normalize",
       [](const Request& r) { return normalize(r[0], r.number("p", 2), r.whole("axis"), r.number("eps", 1e-12)); }},
      {"cdist", [](const Request& r) { return cdist(r[0], r[1], r.number("p", 2)); }},
      {"cross", [](const Request& r) { return cross(r[0], r[1], r.whole("axis")); }},
      {"layer_norm",
       [](const Request& r) {
         const std::vector<std::int64_t> shape = r.list("shape");
         return layer_norm(r[0], Shape(shape), r.rest(1), r.rest(2), r.number("eps", 1e-5));
       }},
  };
  return runs;
}

const std::map<std::string, Run>& moving() {
  static const std::map<std::string, Run> runs{
      BINARY(dot) BINARY(outer){"matmul", [](const Request& r) { return matmul(r[0], r[1]); }},
      {"einsum", [](const Request& r) { return einsum(r.options.at("formula"), r.inputs); }},
      {"reshape", [](const Request& r) { return reshape(r[0], r.list("shape")); }},
      {"broadcast_to", [](const Request& r) { return broadcast_to(r[0], Shape(r.list("shape"))); }},
      {"sum_to", [](const Request& r) { return sum_to(r[0], Shape(r.list("shape"))); }},
      {"permute", [](const Request& r) { return permute(r[0], r.axes()); }},
      {"flip", [](const Request& r) { return r.axes().empty() ? r[0] + 0 : flip(r[0], r.axes()); }},
      {"tile", [](const Request& r) { return tile(r[0], r.list("reps")); }},
      {"concatenate", [](const Request& r) { return concatenate(r.inputs, r.whole("axis")); }},
      {"stack", [](const Request& r) { return stack(r.inputs, r.whole("axis")); }},
      {"select", [](const Request& r) { return select(r[0], r.whole("axis"), r.whole("index")); }},
      {"gather", [](const Request& r) { return gather(r[0], r.whole("axis"), r[1]); }},
      {"take", [](const Request& r) { return take(r[0], r[1], r.whole("axis")); }},
      {"index_add",
       [](const Request& r) { return index_add(r[0], r.whole("axis"), r[1], r[2] * r.number("alpha", 1)); }},
      {"pad",
       [](const Request& r) {
         const std::vector<int> flat = r.axes("widths");
         std::vector<std::pair<int, int>> widths;
         for (std::size_t i = 0; i + 1 < flat.size(); i += 2) widths.emplace_back(flat[i], flat[i + 1]);
         return pad(r[0], widths, r.number("value"));
       }},
  };
  return runs;
}

const std::map<std::string, Run>& losses() {
  static const std::map<std::string, Run> runs{
      {"mse_loss", [](const Request& r) { return nn::mse_loss(r[0], r[1], r.reduction()); }},
      {"l1_loss", [](const Request& r) { return nn::l1_loss(r[0], r[1], r.reduction()); }},
      {"huber_loss",
       [](const Request& r) {
         return nn::huber_loss(r[0], r[1], {.reduction = r.reduction(), .delta = r.number("delta", 1)});
       }},
      {"smooth_l1_loss",
       [](const Request& r) {
         return nn::smooth_l1_loss(r[0], r[1], {.reduction = r.reduction(), .beta = r.number("beta", 1)});
       }},
      {"binary_cross_entropy",
       [](const Request& r) {
         return nn::binary_cross_entropy(r[0], r[1], {.reduction = r.reduction(), .weight = r.rest(2)});
       }},
      {"binary_cross_entropy_with_logits",
       [](const Request& r) {
         const bool weighted = r.has("weight"), positive = r.has("pos_weight");
         const std::size_t last = weighted ? 3 : 2;
         return nn::binary_cross_entropy_with_logits(r[0], r[1],
                                                     {.reduction = r.reduction(),
                                                      .weight = weighted ? r[2] : Tensor(),
                                                      .pos_weight = positive ? Operand(r[last]) : Operand(1)});
       }},
      {"cross_entropy",
       [](const Request& r) {
         return nn::cross_entropy(r[0], r[1],
                                  {.reduction = r.reduction(),
                                   .weight = r.rest(2),
                                   .ignore_index = r.whole("ignore_index", -100),
                                   .label_smoothing = r.number("label_smoothing")});
       }},
      {"nll_loss",
       [](const Request& r) {
         return nn::nll_loss(
             r[0], r[1],
             {.reduction = r.reduction(), .weight = r.rest(2), .ignore_index = r.whole("ignore_index", -100)});
       }},
      {"kl_div",
       [](const Request& r) {
         return nn::kl_div(r[0], r[1], {.reduction = r.reduction(), .log_target = r.whole("log_target") != 0});
       }},
      {"gaussian_nll_loss",
       [](const Request& r) {
         return nn::gaussian_nll_loss(
             r[0], r[1], r[2],
             {.reduction = r.reduction(), .full = r.whole("full") != 0, .eps = r.number("eps", 1e-6)});
       }},
      {"poisson_nll_loss",
       [](const Request& r) {
         return nn::poisson_nll_loss(r[0], r[1],
                                     {.reduction = r.reduction(),
                                      .log_input = r.whole("log_input", 1) != 0,
                                      .full = r.whole("full") != 0,
                                      .eps = r.number("eps", 1e-8)});
       }},
      {"cosine_embedding_loss",
       [](const Request& r) {
         return nn::cosine_embedding_loss(r[0], r[1], r[2].to(r[0].dtype()),
                                          {.reduction = r.reduction(), .margin = r.number("margin")});
       }},
      {"margin_ranking_loss",
       [](const Request& r) {
         return nn::margin_ranking_loss(r[0], r[1], r[2].to(r[0].dtype()),
                                        {.reduction = r.reduction(), .margin = r.number("margin")});
       }},
  };
  return runs;
}

Dtype dtype_named(const std::string& name) {
  for (const Dtype d : {f32, f64, i64, boolean})
    if (name == name_of(d)) return d;
  throw ValueError("no dtype " + name);
}

Tensor read(std::istream& in) {
  std::string line, name;
  std::getline(in, line);
  std::istringstream words(line);
  words >> name;
  std::vector<std::int64_t> sizes;
  for (std::int64_t size = 0; words >> size;) sizes.push_back(size);
  Tensor t = zeros(Shape(sizes), {.dtype = dtype_named(name)});
  in.read(static_cast<char*>(t.array().data()), static_cast<std::streamsize>(t.array().bytes()));
  return is_floating(t.dtype()) ? t.set_requires_grad(true) : t;
}

void write(std::ostream& out, const Tensor& t) {
  out << name_of(t.dtype());
  for (const std::int64_t size : t.shape()) out << ' ' << size;
  out << '\n';
  out.write(static_cast<const char*>(t.array().data()), static_cast<std::streamsize>(t.array().bytes()));
}

std::vector<Tensor> answer(const Request& r) {
  for (const auto* runs : {&elementwise(), &along_axes(), &moving(), &losses()}) {
    const auto found = runs->find(r.name);
    if (found == runs->end()) continue;
    const Tensor y = found->second(r);
    std::vector<Tensor> leaves, results{y};
    for (const Tensor& t : r.inputs)
      if (t.requires_grad()) leaves.push_back(t);
    if (leaves.empty() || !y.requires_grad()) return results;
    const std::vector<std::int64_t> shape(y.shape().begin(), y.shape().end());
    const Tensor cotangent = reshape(linspace(.5, 1.5, y.size(), {.dtype = y.dtype()}), shape);
    for (Tensor& g : grad(y, leaves, cotangent, {.zeros_if_unused = true})) results.push_back(std::move(g));
    return results;
  }
  throw ValueError("no op " + r.name);
}

}  // namespace

int main() {
  std::ios::sync_with_stdio(false);
  for (std::string line; std::getline(std::cin, line);) {
    Request r;
    std::istringstream words(line);
    words >> r.name;
    for (std::string word; words >> word;) {
      const std::size_t equals = word.find('=');
      r.options[word.substr(0, equals)] = word.substr(equals + 1);
    }
    std::getline(std::cin, line);
    for (int n = std::stoi(line); n > 0; --n) r.inputs.push_back(read(std::cin));
    try {
      const std::vector<Tensor> results = answer(r);
      std::cout << "ok " << results.size() << '\n';
      for (const Tensor& t : results) write(std::cout, t);
    } catch (const std::exception& e) {
      std::string said = e.what();
      for (char& c : said)
        if (c == '\n') c = ' ';
      std::cout << "error " << said << '\n';
    }
  }
}
