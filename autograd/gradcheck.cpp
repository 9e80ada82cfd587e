#include <algorithm>
#include <autograd/backward.hpp>
#include <autograd/grad_mode.hpp>
#include <autograd/gradcheck.hpp>
#include <autograd/kernels/table.hpp>
#include <autograd/ops.hpp>
#include <cmath>
#include <cstring>
#include <limits>

namespace xgrad {
namespace {

using Numbers = std::vector<double>;
using Tensors = std::vector<Tensor>;

/// SplitMix64 (Steele, Lea and Flood 2014) and Box and Muller's transform: the check must not disturb the caller's
/// random numbers.
class Gaussian {
 public:
  explicit Gaussian(std::uint64_t seed) : state_(seed) {}
  double operator()() {
    const double u = uniform(), v = uniform();
    return std::sqrt(-2 * std::log(1 - u)) * std::cos(6.283185307179586 * v);
  }

 private:
  double uniform() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-53;
  }
  std::uint64_t state_;
};

double get(const Tensor& t, std::int64_t i) {
  return t.dtype() == f64 ? t.data<double>()[i] : static_cast<double>(t.data<float>()[i]);
}
void set(const Tensor& t, std::int64_t i, double value) {
  if (t.dtype() == f64) {
    t.data<double>()[i] = value;
  } else {
    t.data<float>()[i] = static_cast<float>(value);
  }
}

Numbers values(const Tensors& tensors) {
  Numbers all;
  for (const Tensor& t : tensors) {
    const std::size_t at = all.size();
    all.resize(at + static_cast<std::size_t>(t.size()));
    if (t.size() > 0) kernels::table().cast[int(t.dtype())][int(f64)](t.array().data(), all.data() + at, t.size());
  }
  return all;
}

bool same_bits(const Numbers& a, const Numbers& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0);
}
bool same_bits(const Tensor& a, const Tensor& b) {
  return a.array().bytes() == 0 || std::memcmp(a.array().data(), b.array().data(), a.array().bytes()) == 0;
}
bool all_finite(const Numbers& numbers) {
  return std::all_of(numbers.begin(), numbers.end(), [](double v) { return std::isfinite(v); });
}

Tensor gaussian(const Tensor& like, Gaussian& draw) {
  Tensor t = zeros(like.shape(), {.dtype = like.dtype()});
  for (std::int64_t i = 0; i < t.size(); ++i) set(t, i, draw());
  return t;
}

/// A constant copy (leaf = false) or a leaf of the same numbers.
Tensor own(const Tensor& t, Dtype dtype, bool leaf) {
  Tensor copy = t.detach().clone().to(dtype);
  return leaf ? copy.set_requires_grad(true) : copy;
}

}  // namespace

/// The check in progress.
class Gradchecker {
 public:
  Gradchecker(detail::TensorFunction f, const Tensors& inputs, const GradcheckOptions& options, const OpScope& scope)
      : f_(f), options_(options), scope_(scope), given_(inputs.size()), rtol_(options.rtol), atol_(options.atol) {
    report_.allow_kinks_ = options.allow_kinks;
    report_.allow_domain_ = options.allow_domain;
    report_.given_ = static_cast<int>(given_);
    take_inputs(inputs);
  }
  GradcheckReport run();

 private:
  /// One output, or one random sum of all outputs, at and around a point.
  struct Sample {
    double below, at, above;  // f(x - h), f(x), f(x + h)
    double magnitude;         // of the numbers that rounded
  };
  struct Difference {
    Verdict verdict = Verdict::domain;
    double numeric = std::numeric_limits<double>::quiet_NaN(), error = std::numeric_limits<double>::infinity();
    double badness = std::numeric_limits<double>::infinity();
  };
  /// The functions whose derivatives are compared: every output by itself, or three random sums of all.
  struct Rows {
    std::vector<Numbers> sums;
    std::size_t count;
    Sample sample(std::size_t row, const Numbers& below, const Numbers& at, const Numbers& above) const;
  };

  void take_inputs(const Tensors& inputs);
  void add_input(const Tensor& value);
  Tensor call(const Tensors& in) const;
  Tensors outputs(int order, const Tensors& in, bool graph) const;
  std::size_t inputs_of(int order) const { return input_counts_[static_cast<std::size_t>(order - 1)]; }
  Tensors floating(const Tensors& in, std::size_t count) const;
  bool probe(int order, Numbers& y);
  void choose_numeric_side();
  Numbers gradient(const Tensors& ys, const Numbers& cotangent) const;

  void check_identities(int order, const Tensors& ys);
  void check_elements(int order, const Tensors& ys, Rows rows);
  bool check_directions(int order, const Tensors& ys);
  Difference compare(double analytic, const Sample& whole, const Sample& half, double step, double half_step,
                     double scale) const;
  void record(int order, int input, std::int64_t element, std::int64_t output, double analytic, const Difference& d);
  double step(double x) const {
    return (single_ ? 5e-3 : std::cbrt(std::numeric_limits<double>::epsilon())) * std::max(1.0, std::fabs(x));
  }

  detail::TensorFunction f_;
  GradcheckOptions options_;
  const OpScope& scope_;
  std::size_t given_;
  Tensors leaves_;  // where analytic derivatives are taken, in the caller's dtypes
  Tensors probes_;  // where differences are taken, in f64 unless f does not run there
  Tensors originals_;
  std::vector<std::size_t> input_counts_;  // for each order, how many of the inputs it uses
  bool single_ = false;                    // differences in f32
  double rtol_, atol_;
  std::string thrown_;
  GradcheckReport report_;
};

void Gradchecker::take_inputs(const Tensors& inputs) {
  bool any = false, narrow = false;
  for (std::size_t i = 0; i < given_; ++i) {
    if (!inputs[i].defined()) scope_.fail<ValueError>("input ", i, " is undefined (default-built)");
    any |= is_floating(inputs[i].dtype());
    narrow |= inputs[i].dtype() == f32;
  }
  if (!any)
    scope_.fail<ValueError>("none of the ", given_,
                            " inputs is of type f32 or f64, so there is no gradient to check; pass an f64 tensor");
  if (options_.order < 1) scope_.fail<ValueError>("the order is ", options_.order, "; expected 1 or more");
  for (const Tensor& t : inputs) {
    const DetachedScope detached;
    add_input(t);
    originals_.push_back(own(t, t.dtype(), false));
  }
  input_counts_.push_back(given_);
  if (narrow) choose_numeric_side();
}

void Gradchecker::add_input(const Tensor& value) {
  const bool checked = is_floating(value.dtype());
  leaves_.push_back(own(value, value.dtype(), checked));
  probes_.push_back(own(value, checked && !single_ ? f64 : value.dtype(), checked));
  report_.shapes_.push_back(value.shape());
}

/// f32 inputs: f64 differences if f runs in f64 and stays there.
void Gradchecker::choose_numeric_side() {
  try {
    single_ = call(probes_).dtype() == f32;
  } catch (const DtypeError&) {
    single_ = true;
  }
  rtol_ = std::max(rtol_, single_ ? 2e-2 : 1e-3);
  atol_ = std::max(atol_, single_ ? 1e-3 : 1e-5);
  if (single_) {
    for (std::size_t i = 0; i < given_; ++i)
      probes_[i] = own(leaves_[i], leaves_[i].dtype(), leaves_[i].requires_grad());
    report_.notes_.push_back(text("f does not run in f64: differences are taken in f32, h = 5e-3 max(1, |x|), rtol ",
                                  rtol_, ", atol ", atol_, "; a small error would not be seen"));
  } else {
    report_.notes_.push_back(
        text("f32 inputs: differences are taken in f64 and compared with rtol ", rtol_, ", atol ", atol_));
  }
}

Tensor Gradchecker::call(const Tensors& in) const {
  const DetachedScope detached;
  const EnableGrad recording;
  const Tensor y = f_.call(f_.f, Tensors(in.begin(), in.begin() + static_cast<std::ptrdiff_t>(given_)));
  return y;
}

Tensors Gradchecker::floating(const Tensors& in, std::size_t count) const {
  Tensors result;
  for (std::size_t i = 0; i < count; ++i)
    if (is_floating(in[i].dtype())) result.push_back(in[i]);
  return result;
}

/// The function whose derivative order `order` is: f itself, and above it the gradients of the lower order's outputs,
/// each multiplied by a cotangent that is an input too.
Tensors Gradchecker::outputs(int order, const Tensors& in, bool graph) const {
  if (order == 1) {
    const Tensor y = call(in);
    if (!y.defined()) scope_.fail<ValueError>("f returned an undefined (default-built) tensor");
    if (!is_floating(y.dtype())) scope_.fail<DtypeError>("f returned a tensor of type ", name_of(y.dtype()));
    return {y};
  }
  const std::size_t used = inputs_of(order - 1);
  const Tensors ys = outputs(order - 1, in, true), by = floating(in, used);
  const DetachedScope detached;
  const EnableGrad recording;
  Tensor total;
  for (std::size_t k = 0; k < ys.size(); ++k) {
    if (!ys[k].requires_grad()) continue;
    const Tensor part = sum(ys[k] * in[used + k].to(ys[k].dtype())).to(f64);
    total = total.defined() ? total + part : part;
  }
  if (total.defined()) return grad(total, by, {.create_graph = graph, .zeros_if_unused = true});
  Tensors zero;
  for (const Tensor& t : by) zero.push_back(zeros(t.shape(), {.dtype = t.dtype()}));
  return zero;
}

/// The outputs' numbers at the probes; false if f throws there.
bool Gradchecker::probe(int order, Numbers& y) {
  try {
    y = values(outputs(order, probes_, false));
    return true;
  } catch (const std::exception& e) {
    if (thrown_.empty()) thrown_ = e.what();
    return false;
  }
}

/// d(sum of cotangent * outputs)/d(every floating input), flat.
Numbers Gradchecker::gradient(const Tensors& ys, const Numbers& cotangent) const {
  const DetachedScope detached;
  const Tensors by = floating(leaves_, leaves_.size());
  Numbers total;
  std::size_t at = 0;
  for (const Tensor& y : ys) {
    const auto size = static_cast<std::size_t>(y.size());
    const auto begin = cotangent.begin() + static_cast<std::ptrdiff_t>(at);
    at += size;
    const bool all_zero =
        std::all_of(begin, begin + static_cast<std::ptrdiff_t>(size), [](double v) { return v == 0; });
    if (!y.requires_grad() || (all_zero && ys.size() > 1)) continue;
    Tensor g = zeros(y.shape(), {.dtype = y.dtype()});
    for (std::size_t i = 0; i < size; ++i) set(g, static_cast<std::int64_t>(i), begin[static_cast<std::ptrdiff_t>(i)]);
    const Numbers part = values(grad(y, by, g, {.retain_graph = true, .zeros_if_unused = true}));
    if (total.empty()) total.resize(part.size());
    for (std::size_t i = 0; i < part.size(); ++i) total[i] += part[i];
  }
  if (total.empty()) {
    std::size_t size = 0;
    for (const Tensor& t : by) size += static_cast<std::size_t>(t.size());
    total.resize(size);
  }
  return total;
}

Gradchecker::Sample Gradchecker::Rows::sample(std::size_t row, const Numbers& below, const Numbers& at,
                                              const Numbers& above) const {
  if (sums.empty()) {
    const double low = below[row], middle = at[row], high = above[row];
    const bool moves = low != middle || high != middle;  // what stays the same was not rounded differently
    return {low, middle, high, moves ? std::max({std::fabs(low), std::fabs(middle), std::fabs(high)}) : 0};
  }
  // Relative to f(x), so that outputs which do not move add no rounding.
  Sample s{0, 0, 0, 0};
  const Numbers& c = sums[row];
  for (std::size_t o = 0; o < at.size(); ++o) {
    if (below[o] == at[o] && above[o] == at[o]) continue;
    s.below += c[o] * (below[o] - at[o]);
    s.above += c[o] * (above[o] - at[o]);
    s.magnitude += std::fabs(c[o] * at[o]);
  }
  return s;
}

/// Judges one derivative from the function at x - step ... x + step and at half of it. `scale` is the size of the terms
/// that `analytic` sums.
Gradchecker::Difference Gradchecker::compare(double analytic, const Sample& whole, const Sample& half, double step,
                                             double half_step, double scale) const {
  Difference d;
  const double epsilon = single_ ? 1.2e-7 : 2.3e-16;
  const double wide = (whole.above - whole.below) / (2 * step), narrow = (half.above - half.below) / (2 * half_step);
  if (!std::isfinite(wide) || !std::isfinite(narrow) || !std::isfinite(whole.at)) return d;
  d.numeric = narrow;
  const double rounding = 2 * epsilon * whole.magnitude / step;
  d.error = std::fabs(wide - narrow) + rounding;
  const double allowed = atol_ + rtol_ * std::max({std::fabs(analytic), std::fabs(narrow), scale});
  const double gap = std::fabs(analytic - narrow);
  d.badness = std::isfinite(gap) ? gap / (allowed + d.error) : std::numeric_limits<double>::infinity();
  // A smooth function's second difference over the step halves with the step; a kink's stays.
  const double left = (half.at - half.below) / half_step, right = (half.above - half.at) / half_step;
  const double jump = std::fabs(right - left);
  const double wide_jump = std::fabs((whole.above - whole.at) - (whole.at - whole.below)) / step;
  const bool kink = jump > 0.75 * wide_jump && jump > 1e-3 * (std::fabs(left) + std::fabs(right)) + 10 * allowed &&
                    jump > 16 * rounding;
  if (kink) {
    const bool between = analytic >= std::min(left, right) - allowed && analytic <= std::max(left, right) + allowed;
    d.verdict = between ? Verdict::kink : Verdict::fail;
  } else if (!std::isfinite(analytic)) {
    d.verdict = Verdict::fail;
  } else if (d.error > allowed) {
    d.verdict = Verdict::unreliable;
  } else {
    d.verdict = d.badness <= 1 ? Verdict::pass : Verdict::fail;
  }
  return d;
}

void Gradchecker::record(int order, int input, std::int64_t element, std::int64_t output, double analytic,
                         const Difference& d) {
  ++report_.counts_[static_cast<int>(d.verdict)];
  report_.entries_.push_back({d.verdict, order, input, element, output, analytic, d.numeric, d.error, d.badness});
}

void Gradchecker::check_elements(int order, const Tensors& ys, Rows rows) {
  std::vector<Numbers> analytic(rows.count);
  Numbers cotangent(values(ys).size());
  for (std::size_t r = 0; r < rows.count; ++r) {
    if (rows.sums.empty()) {
      cotangent[r] = 1;
      analytic[r] = gradient(ys, cotangent);
      cotangent[r] = 0;
    } else {
      analytic[r] = gradient(ys, rows.sums[r]);
    }
  }
  Numbers at, above, below, half_above, half_below;
  if (!probe(order, at)) scope_.fail<ValueError>("f threw in f64: ", thrown_);
  constexpr double shrink = 8;
  const int attempts = single_ ? 1 : 4;
  std::size_t flat = 0;
  bool zero_gradient = order > 1, moved = false;
  std::vector<Difference> best;
  for (std::size_t input = 0; input < probes_.size(); ++input) {
    const Tensor& x = probes_[input];
    if (!is_floating(x.dtype())) continue;
    for (std::int64_t i = 0; i < x.size(); ++i, ++flat) {
      const double here = get(x, i);
      const auto probe_at = [&](double value, Numbers& y) {
        set(x, i, value);
        const double taken = get(x, i);
        const bool good = probe(order, y);
        set(x, i, here);
        if (good && y.size() != at.size())
          scope_.fail<ValueError>("f's output has ", at.size(), " elements at the point and ", y.size(),
                                  " when element ", i, " of input ", input, " moves");
        if (!good) y.assign(at.size(), std::numeric_limits<double>::quiet_NaN());
        return taken;
      };
      best.assign(rows.count, {});
      double h = step(here);
      for (int attempt = 0; attempt < attempts; ++attempt, h /= shrink) {
        const double right = probe_at(here + h, above), left = probe_at(here - h, below);
        const double near_right = probe_at(here + h / 2, half_above), near_left = probe_at(here - h / 2, half_below);
        bool settled = true;
        for (std::size_t r = 0; r < rows.count; ++r) {
          if (best[r].verdict == Verdict::pass) continue;
          const Difference d =
              compare(analytic[r][flat], rows.sample(r, below, at, above), rows.sample(r, half_below, at, half_above),
                      (right - left) / 2, (near_right - near_left) / 2, 0);
          if (attempt == 0 || d.verdict == Verdict::pass || d.error < best[r].error) best[r] = d;
          settled &= best[r].verdict == Verdict::pass;
        }
        if (settled) break;
      }
      for (std::size_t r = 0; r < rows.count; ++r) {
        const auto output = static_cast<std::int64_t>(r);
        record(order, static_cast<int>(input), i, rows.sums.empty() ? output : -1 - output, analytic[r][flat], best[r]);
        zero_gradient &= analytic[r][flat] == 0;
        moved |= best[r].verdict == Verdict::fail;
      }
    }
  }
  if (zero_gradient && moved)
    report_.problems_.push_back(
        text("the gradient of order ", order - 1,
             " has no graph although it is not constant: a rule is not written in ops, or detaches what it uses"));
}

/// Three random sums of all outputs along three random directions through all inputs at once.
bool Gradchecker::check_directions(int order, const Tensors& ys) {
  const std::size_t before = report_.entries_.size();
  std::int64_t counts[5];
  std::copy(std::begin(report_.counts_), std::end(report_.counts_), counts);
  const Tensors moving = floating(probes_, probes_.size());
  const Numbers here = values(moving);
  Numbers at, above, below, half_above, half_below, taken(here.size());
  if (!probe(order, at)) scope_.fail<ValueError>("f threw in f64: ", thrown_);
  bool good = true;
  for (std::uint64_t k = 0; k < 3; ++k) {
    Gaussian draw(options_.seed + 101 * k + 7 * static_cast<std::uint64_t>(order));
    Rows rows{{Numbers(at.size())}, 1};
    for (double& c : rows.sums[0]) c = draw();
    Numbers direction(here.size());
    for (double& u : direction) u = draw();
    const auto probe_at = [&](double factor, Numbers& y, Numbers* steps) {
      std::size_t flat = 0;
      for (const Tensor& t : moving) {
        for (std::int64_t i = 0; i < t.size(); ++i, ++flat) {
          set(t, i, here[flat] + factor * step(here[flat]) * direction[flat]);
          if (steps) (*steps)[flat] += (factor > 0 ? 0.5 : -0.5) * get(t, i);
        }
      }
      if (!probe(order, y) || y.size() != at.size()) y.assign(at.size(), std::numeric_limits<double>::quiet_NaN());
    };
    std::fill(taken.begin(), taken.end(), 0.0);
    probe_at(1, above, &taken);
    probe_at(-1, below, &taken);
    probe_at(0.5, half_above, nullptr);
    probe_at(-0.5, half_below, nullptr);
    std::size_t flat = 0;
    for (const Tensor& t : moving)
      for (std::int64_t i = 0; i < t.size(); ++i) set(t, i, here[flat++]);
    const Numbers g = gradient(ys, rows.sums[0]);
    const double h = step(0);
    double analytic = 0, scale = 0;
    for (std::size_t i = 0; i < g.size(); ++i) {
      analytic += g[i] * taken[i] / h;
      scale += std::fabs(g[i] * taken[i]) / h;
    }
    const Difference d = compare(analytic, rows.sample(0, below, at, above), rows.sample(0, half_below, at, half_above),
                                 h, h / 2, scale);
    record(order, -1, -1, -1 - static_cast<std::int64_t>(k), analytic, d);
    good &= d.verdict == Verdict::pass;
  }
  if (!good) {
    report_.entries_.resize(before);
    std::copy(std::begin(counts), std::end(counts), report_.counts_);
  }
  return good;
}

/// What must hold whatever the derivative is.
void Gradchecker::check_identities(int order, const Tensors& ys) {
  const auto problem = [&](const auto&... parts) {
    report_.problems_.push_back(text("order ", order, ": ", parts...));
  };
  const Numbers y = values(ys);
  const Numbers zero = gradient(ys, Numbers(y.size()));
  Gaussian draw(options_.seed);
  Numbers a(y.size()), b(y.size()), mixed(y.size());
  for (std::size_t i = 0; i < y.size(); ++i) {
    a[i] = draw();
    b[i] = draw();
    mixed[i] = a[i] - 2 * b[i];
  }
  const Numbers ga = gradient(ys, a), gb = gradient(ys, b), g_mixed = gradient(ys, mixed);
  if (all_finite(y) && all_finite(ga) && all_finite(gb)) {
    if (std::any_of(zero.begin(), zero.end(), [](double v) { return v != 0; }))
      problem("a zero cotangent does not give a gradient of exact zeros");
    double largest = 0, gap = 0;
    for (std::size_t i = 0; i < ga.size(); ++i) {
      largest = std::max({largest, std::fabs(ga[i]), std::fabs(gb[i])});
      gap = std::max(gap, std::fabs(g_mixed[i] - (ga[i] - 2 * gb[i])));
    }
    const bool narrow = std::any_of(leaves_.begin(), leaves_.end(), [](const Tensor& t) { return t.dtype() == f32; });
    if (!(gap <= (narrow ? 1e-4 : 1e-12) * largest + 1e-2 * atol_))
      problem("the vjp is not linear in the cotangent: it is off by ", gap, " where gradients reach ", largest);
  }
  // Again, with f used at a neighbouring point before and after: state kept between calls shows.
  const auto elsewhere = [&] {
    Tensors moved;
    for (const Tensor& t : leaves_) {
      moved.push_back(own(t, t.dtype(), is_floating(t.dtype())));
      if (is_floating(t.dtype()))
        for (std::int64_t i = 0; i < t.size(); ++i) set(moved.back(), i, get(t, i) + step(get(t, i)));
    }
    try {
      (void)outputs(order, moved, true);
    } catch (const std::exception&) {
      return;  // outside the domain, which the differences report
    }
  };
  elsewhere();
  const Tensors again = outputs(order, leaves_, true);
  if (!same_bits(values(again), y))
    problem(
        order == 1 ? "f gives other bits when it runs again" : "the lower gradient gives other bits when it runs again",
        "; is it random, or does it keep state?");
  elsewhere();
  if (!same_bits(gradient(again, a), ga))
    problem(
        "the gradient has other bits when f was used elsewhere in between; does a rule use a saved value that later "
        "calls overwrite?");
}

GradcheckReport Gradchecker::run() {
  for (int order = 1; order <= options_.order; ++order) {
    if (order > 1) {
      Gaussian draw(options_.seed + 31 * static_cast<std::uint64_t>(order));
      for (const Tensor& y : outputs(order - 1, leaves_, false)) {
        const DetachedScope detached;
        add_input(gaussian(y, draw));
      }
      input_counts_.push_back(leaves_.size());
    }
    const Tensors ys = outputs(order, leaves_, true);
    check_identities(order, ys);
    std::int64_t elements = 0, size = 0;
    for (const Tensor& t : floating(leaves_, leaves_.size())) elements += t.size();
    for (const Tensor& y : ys) size += y.size();
    if (elements * size <= options_.full_limit) {
      check_elements(order, ys, {{}, static_cast<std::size_t>(size)});
    } else if (check_directions(order, ys)) {
      report_.notes_.push_back(text("order ", order, ": ", size, " outputs by ", elements,
                                    " inputs are checked along three random directions, seed ", options_.seed));
    } else {
      report_.notes_.push_back(text("order ", order, ": a random direction failed (seed ", options_.seed,
                                    "); three random sums of the outputs are checked by every input element"));
      Rows rows{{}, 3};
      Gaussian draw(options_.seed + 7 * static_cast<std::uint64_t>(order));
      for (int k = 0; k < 3; ++k) {
        rows.sums.emplace_back(static_cast<std::size_t>(size));
        for (double& c : rows.sums.back()) c = draw();
      }
      check_elements(order, ys, std::move(rows));
    }
  }
  for (std::size_t i = 0; i < given_; ++i)
    if (!same_bits(leaves_[i], originals_[i])) report_.problems_.push_back(text("f changes input ", i));
  if (!thrown_.empty()) report_.notes_.push_back(text("f threw beside the point: ", thrown_));
  const auto rank = [](Verdict v) {
    constexpr int ranks[] = {4, 0, 3, 1, 2};
    return ranks[static_cast<int>(v)];
  };
  auto& entries = report_.entries_;
  const std::size_t kept = std::min<std::size_t>(entries.size(), 100);
  std::partial_sort(entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(kept), entries.end(),
                    [&](const GradcheckEntry& a, const GradcheckEntry& b) {
                      if (rank(a.verdict) != rank(b.verdict)) return rank(a.verdict) < rank(b.verdict);
                      return a.badness > b.badness;
                    });
  entries.resize(kept);
  return std::move(report_);
}

GradcheckReport detail::gradcheck(TensorFunction f, const std::vector<Tensor>& inputs, const GradcheckOptions& options,
                                  Place place) {
  const OpScope scope("gradcheck", place);
  return Gradchecker(f, inputs, options, scope).run();
}

void detail::fail_arity(std::size_t inputs) {
  throw ValueError(text("gradcheck: f does not take ", inputs, " tensors, and ", inputs, " inputs are given"));
}

}  // namespace xgrad
