#pragma once
#include <algorithm>
#include <autograd/gradcheck.hpp>
#include <cmath>
#include <limits>

/// The inside of gradcheck; not for users.
namespace xgrad {
namespace checking {

class Program;
class Locator;
struct Line;

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

  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

 private:
  double uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }
  std::uint64_t state_;
};

inline double get(const Tensor& t, std::int64_t i) {
  return t.dtype() == f64 ? t.data<double>()[i] : static_cast<double>(t.data<float>()[i]);
}
inline void set(const Tensor& t, std::int64_t i, double value) {
  if (t.dtype() == f64) {
    t.data<double>()[i] = value;
  } else {
    t.data<float>()[i] = static_cast<float>(value);
  }
}

/// One output, or one random sum of all outputs, at and around a point.
struct Sample {
  double below, at, above;  // f(x - h), f(x), f(x + h)
  double magnitude;         // of the numbers that round
};
/// The functions whose derivatives are compared: every output by itself, or random sums of all.
struct Rows {
  std::vector<Numbers> sums;
  std::size_t count;
  Sample sample(std::size_t row, const Numbers& below, const Numbers& at, const Numbers& above) const;
  /// How far a row moves when the outputs move so far, independently of each other.
  double spread(std::size_t row, const Numbers& outputs) const;
};
struct Tolerance {
  double rtol, atol;
  bool single = false;  // differences in f32
};
/// What a rule says of one derivative.
struct Claim {
  double analytic;
  double scale = 0;  // the size of the terms that `analytic` sums
  double least = 0;  // what is allowed besides what is relative
};
/// How far the rounding of f's ops moves an output, and its analytic derivative.
struct Rounding {
  double output = 0, analytic = 0;
};
constexpr double f32_rtol = 2e-2, f32_atol = 1e-3;  // of differences in f32
struct Difference {
  Verdict verdict = Verdict::domain;
  double numeric = std::numeric_limits<double>::quiet_NaN(), error = std::numeric_limits<double>::infinity();
  double badness = std::numeric_limits<double>::infinity();
  double left = std::numeric_limits<double>::quiet_NaN(), right = left;  // slopes
  double analytic = 0;                                                   // along a direction
};
/// What f shows at x - step ... x + step and at half of it.
struct Level : Difference {
  double step = 0, gap = 0, rounding = 0, allowed = 0, magnitude = 0, range = 0;
  bool finite = false, moved = false, kinked = false;
  bool smooth = false;  // the five points lie on a smooth curve
};
Level compare(const Claim& claim, const Sample& whole, const Sample& half, double step, double half_step,
              const Tolerance& tolerance, const Rounding& rounding = {});
/// Whether the numeric derivative differs by no more than is allowed and its error.
void settle(Difference& d, double gap, double allowed);
/// The first step from x that a difference tries.
inline double step(double x, bool single) {
  return (single ? 5e-3 : std::cbrt(std::numeric_limits<double>::epsilon())) * std::max(1.0, std::fabs(x));
}
/// The same for an x below 1, in an input that reaches `largest`.
inline double near_step(double x, double largest, bool single) {
  const double size = x != 0 ? std::fabs(x) : largest > 0 ? largest : 1;
  return step(0, single) * size;
}
/// The last bit of a number near 1.
inline double epsilon_of(bool single) { return single ? 0x1p-23 : 0x1p-52; }

inline double largest_of(const Numbers& numbers) {
  double largest = 0;
  for (const double v : numbers)
    if (std::isfinite(v)) largest = std::max(largest, std::fabs(v));
  return largest;
}
/// All the tensors' numbers, one after another.
Numbers values(const Tensors& tensors);
bool same_bits(const Numbers& a, const Numbers& b);
/// A constant copy (leaf = false) or a leaf of the same numbers.
Tensor own(const Tensor& t, Dtype dtype, bool leaf);

}  // namespace checking

/// The check in progress.
class Gradchecker {
  using Numbers = checking::Numbers;
  using Tensors = checking::Tensors;
  using Rows = checking::Rows;

 public:
  Gradchecker(detail::TensorFunction f, const Tensors& inputs, const GradcheckOptions& options, const OpScope& scope,
              std::vector<std::string> names)
      : f_(f), options_(options), scope_(scope), given_(inputs.size()), tolerance_{options.rtol, options.atol} {
    report_.allow_kinks_ = options.allow_kinks;
    report_.allow_domain_ = options.allow_domain;
    report_.given_ = static_cast<int>(given_);
    report_.names_ = std::move(names);
    take_inputs(inputs);
  }
  GradcheckReport run();

 private:
  friend class checking::Program;
  friend class checking::Locator;

  void take_inputs(const Tensors& inputs);
  void add_input(const Tensor& value, bool checked);
  Tensors call(const Tensors& in) const;
  Tensors outputs(int order, const Tensors& in, bool graph) const;
  std::size_t inputs_of(int order) const { return input_counts_[static_cast<std::size_t>(order - 1)]; }
  Tensors checked(const Tensors& in, std::size_t count) const;
  bool probe(int order, Numbers& y);
  void choose_numeric_side();
  Numbers gradient(const Tensors& ys, const Numbers& cotangent) const;

  /// What an identity misses, and the size of the numbers in it.
  struct Gap {
    double size = 0, scale = 0;
  };
  template <class F>
  bool is_rounding(int order, const Gap& gap, F gap_of) const;
  void check_identities(int order, const Tensors& ys);
  void check_adjoint(const Tensors& ys);
  void check_symmetry(const Tensors& ys);
  void check_inputs_unchanged();
  /// Looks for the ops that make this order wrong.
  void locate(int order);
  void check_elements(int order, const Tensors& ys, Rows rows);
  bool check_directions(int order, const Tensors& ys);
  /// What the function of one order is compared by.
  struct Comparison {
    int order;
    Rows rows;
    std::vector<Numbers> analytic;  // for each row, the gradient
    Numbers at;                     // the outputs at the point
    std::vector<Numbers> largest;   // for each row and input, the largest part of the gradient
  };
  /// What is known of the rounding inside f, measured where it is asked for.
  struct Noise {
    Numbers outputs;
    std::vector<Tensors> graphs;     // the outputs, rounded otherwise
    std::vector<Numbers> gradients;  // for each row, of the gradient; empty: not known yet
  };
  void measure(const Comparison& c, Noise& noise) const;
  checking::Rounding rounding_of(const Comparison& c, Noise& noise, std::size_t row) const;
  std::pair<std::size_t, std::int64_t> find(std::size_t flat) const;
  std::vector<checking::Difference> differences_along(const Comparison& c, Noise& noise, const Numbers& direction,
                                                      std::size_t begin, std::size_t end);
  void find_largest(Comparison& c) const;
  std::vector<std::pair<std::size_t, std::size_t>> inputs_in(std::size_t count) const;
  void search_elements(const Comparison& c, Noise& noise);
  void check_element(const Comparison& c, Noise& noise, std::size_t flat);
  void extrapolate(const checking::Line& line, const std::vector<checking::Claim>& claims,
                   std::vector<checking::Difference>& best) const;
  void record(int order, int input, std::int64_t element, std::int64_t output, double analytic,
              const checking::Difference& d);

  detail::TensorFunction f_;
  GradcheckOptions options_;
  const OpScope& scope_;
  std::size_t given_;
  Tensors leaves_;  // where analytic derivatives are taken, in the caller's dtypes
  Tensors probes_;  // where differences are taken, in f64 unless f does not run there
  Tensors originals_;
  std::vector<bool> checked_;              // for each input, whether it is differentiated by
  bool narrow_ = false;                    // an op computes in f32
  std::vector<std::size_t> input_counts_;  // for each order, how many of the inputs it uses
  checking::Tolerance tolerance_;
  std::string thrown_;
  std::size_t located_ = 0;  // ops that lower orders have been looked at for
  GradcheckReport report_;
};

}  // namespace xgrad
