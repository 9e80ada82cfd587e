#pragma once
#include <autograd/core/tensor_function.hpp>

namespace xgrad {
class Gradchecker;
namespace checking {
class Locator;
}
}  // namespace xgrad

#pragma GCC visibility push(default)

/// Gradient checks: are the derivatives that the rules give those of the function that the forward computes?
///
/// Order 1 compares every entry of the Jacobian with a central difference; order n differences the analytic gradient of
/// order n - 1, never a difference of differences. The first step is eps^(1/3) max(1, |x|), and the divisor is the step
/// that was really taken. Where the difference does not settle, steps become finer; where f rounds too coarsely to be
/// seen to move, wider. Each difference comes with an estimate of its own error: |D(h) - D(h/2)| and the rounding
/// inside f, which is measured by running f with the last bits of all its ops moved. An entry passes if |analytic -
/// numeric| <= allowed + estimate, with an estimate no larger than what is allowed: rtol max(|analytic|, |numeric|) +
/// atol times the largest derivative of the same output by the same input. So derivatives of any scale are compared
/// alike. It fails if differences at several steps agree on another value. Where they can not tell, it is unreliable,
/// and no op is blamed.
///
/// Large Jacobians are checked along three Gaussian directions through each input, and element by element if that
/// fails. Besides, without any step: a zero cotangent must give exact zeros, the vjp must be linear, running twice must
/// give the same bits also when f was used elsewhere in between, and the inputs must stay as they are. From order 2 on,
/// <v, J u> = <u, J^T v> and <u, H v> = <v, H u> must hold to rounding.
///
/// If something is wrong, each op that f ran is checked by itself, on the inputs that it had, and the report names
/// those that are wrong: GradcheckReport::culprits.
namespace xgrad {

enum class Verdict {
  pass,
  fail,        // analytic and numeric derivative differ
  kink,        // the slopes on the two sides differ, however small the step: no derivative to compare with
  unreliable,  // the numeric derivative is not known to within the tolerance, so nothing is shown
  domain       // f is not finite, or throws, at or beside this point
};
const char* name_of(Verdict v);

/// How the numeric derivative is extrapolated to a step of 0: not at all; from four steps, each half of the one before
/// (Richardson 1911); or from up to ten that start wide, as long as that gains (Ridders 1982). The more, the more calls
/// of f and the more digits.
enum class Stencil { central, richardson, ridders };

/// When to look for the op that is wrong.
enum class Locate { on_failure, always, never };

struct GradcheckOptions {
  int order = 1;                    // every order from 1 to this one is checked
  double rtol = 1e-5;               // in f64; f32 inputs have the tolerances that the report names
  double atol = 1e-7;               // relative to the largest derivative of the same output by the same input
  bool allow_kinks = false;         // a kink is no failure if the gradient lies between the two slopes
  bool allow_domain = false;        // a point at the edge of the domain is no failure
  std::uint64_t seed = 1;           // of the cotangents and directions
  std::int64_t full_limit = 16384;  // entries up to which the whole Jacobian is checked
  Stencil stencil = Stencil::central;
  Locate locate = Locate::on_failure;
  std::vector<int> inputs = {};  // those to differentiate by, from 0; none: all that are floating. Others are data
};

/// One compared derivative: of the output's element `output` by the element `element` of input `input`, both flat.
struct GradcheckEntry {
  Verdict verdict;
  int order;
  int input;             // inputs after the given ones are the cotangents of the lower orders
  std::int64_t element;  // -1: a direction through all of the input
  std::int64_t output;   // counted through all outputs; -1, -2, -3: the three random sums of all outputs
  double analytic, numeric;
  double error;        // the estimated error of `numeric`, with the rounding of `analytic`
  double badness;      // |analytic - numeric| as a multiple of what is allowed
  double left, right;  // the slopes on the two sides
};

/// An op whose own derivative is wrong: found by comparing each recorded op, on its recorded inputs, with differences
/// of that op alone.
struct GradcheckCulprit {
  std::string op;            // its name
  Place place;               // the user's line
  std::string path;          // of modules: `model[3] (Dense 64 -> 32)`; empty outside of all
  int order;                 // of the derivative that the op makes wrong
  int op_index;              // among the ops of the program, in the order in which they run
  int input;                 // which of the op's inputs; -1: the numbers that the op computes
  std::int64_t element;      // the worst, of that input, flat; -1: not known
  std::int64_t output;       // of the op's output, flat; -1: not known
  double analytic, numeric;  // of that output by that element, the op alone
  double error;              // the estimated error of `numeric`
  double left, right;        // the slopes on the two sides
  /// What the wrong derivative is to the right one: "factor -1", "factor 2", "factor 0.5", "factor 1.0005", "factor n",
  /// "factor 1/n" (n being a size), "transposed", "shifted", "axis 1 not summed", "axis 1 summed too often",
  /// "detached", "one element", "jitter", "stale", "not linear"; empty if it is none of these.
  std::string pattern;
  std::string hint;     // what that may come from, in words
  std::string rule_of;  // the op in whose rule it runs: it is wrong to second order; empty: in f itself
  Shape input_shape, output_shape;
};

/// What a check found.
class GradcheckReport {
 public:
  /// Whether every entry passed and nothing else was wrong. Unreliable entries are no pass; neither are kinks and edges
  /// of the domain unless allowed: there the check has shown nothing.
  bool ok() const;
  /// A summary, what is wrong, and a table of the worst entries.
  std::string str() const;
  /// The worst entries as CSV, one a line after a header.
  std::string to_csv() const;
  /// All that the report knows as JSON; a number that is not finite is null.
  std::string to_json() const;
  /// A page for any browser that needs nothing else: what is wrong, the worst entries as a table that can be sorted,
  /// and a map of each input's elements.
  std::string to_html(std::string_view title = "Gradient check") const;

  /// The worst entries, worst first.
  const std::vector<GradcheckEntry>& entries() const { return entries_; }
  /// What an entry's derivative is by: "x0[1, 2]" for an element of a given input, or with its name if it has one,
  /// "g0[1, 2]" for the cotangent of a lower order, "x0" for a direction through all of it.
  std::string label(const GradcheckEntry& entry) const;
  /// How many entries got this verdict.
  std::int64_t count(Verdict v) const { return counts_[static_cast<int>(v)]; }
  /// How many entries there were.
  std::int64_t total() const;
  /// The ops that are wrong, in the order in which they run. Looked for as GradcheckOptions::locate says.
  const std::vector<GradcheckCulprit>& culprits() const { return culprits_; }
  /// Sentences about what is wrong besides entries (the identities), and about how the check was made.
  const std::vector<std::string>& problems() const { return problems_; }
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  friend class Gradchecker;
  friend class checking::Locator;
  std::vector<GradcheckEntry> entries_;
  std::vector<GradcheckCulprit> culprits_;
  std::int64_t counts_[5] = {};
  /// How far each element of an input is off, in the worst case, at one order.
  struct Map {
    int order, input;
    std::vector<double> badness;
    std::vector<Verdict> verdicts;
  };
  std::vector<Map> maps_;
  std::vector<Shape> shapes_;       // of the inputs, the cotangents of the lower orders included
  std::vector<std::string> names_;  // of those that the caller gave, if they have any
  int given_ = 0;                   // how many the caller gave
  std::vector<std::string> problems_, notes_;
  bool allow_kinks_ = false, allow_domain_ = false;
};
std::ostream& operator<<(std::ostream& to, const GradcheckReport& report);

namespace detail {

GradcheckReport gradcheck(TensorFunction f, const std::vector<Tensor>& inputs, const GradcheckOptions& options,
                          Place place, std::vector<std::string> names = {});

}  // namespace detail

/// Checks the derivatives of f at `inputs` to `options.order`. f is called as f(x), f(x, w), ... with up to six
/// tensors, or as f(const std::vector<Tensor>&), and returns a tensor of any shape, or several; it gets copies, so the
/// inputs and their grad() stay as they are. Floating inputs are checked whether or not they require a gradient, others
/// and those that `options.inputs` leaves out are passed through. f32 inputs: differences are taken in f64 if f runs
/// there, else in f32 with a first step of 5e-3 and rtol = 2e-2. Throws ValueError if no input is floating, `inputs`
/// names none of them, or a tolerance is negative or not finite; what f throws at the point itself passes through.
template <class F>
GradcheckReport gradcheck(F f, const std::vector<Tensor>& inputs, const GradcheckOptions& options = {},
                          Place place = Place::here()) {
  return detail::gradcheck(detail::TensorFunction(f, place), inputs, options, place);
}

}  // namespace xgrad
#pragma GCC visibility pop
