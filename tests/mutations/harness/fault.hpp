#pragma once
#include <algorithm>
#include <mutations/harness/program.hpp>

/// Faults in the rules of one op of a program. What the op's node holds is replaced as soon as the op is recorded, so
/// everything that differentiates meets the fault.
namespace xgrad::mutations {

enum class Fault {
  sign,
  twice,
  half,
  slightly,        // a factor of 1.0005
  count,           // a factor of n or 1/n, where n elements are summed or averaged
  transposed,      // of a square matrix
  missing_sum,     // the first of what an axis of a broadcast input sums
  extra_sum,       // an axis is summed and broadcast back
  stale,           // the rule uses values that are not those of the op
  shifted,         // along an axis, by one
  one_element,     // half too large
  detached,        // right, but without a history
  saved_detached,  // the same for what the rule saved, not for its cotangent
  jitter           // of 1e-9, another one in each call
};
inline constexpr int fault_count = 14;
const char* name_of(Fault fault);

/// An input of an op of a program, where a fault can be.
struct Site {
  int op;  // of all that the program starts, in this order
  std::string name;
  int line;  // the step, from 1
  int argument;
  Shape input, output;
  bool broadcast;  // the engine sums the cotangent to the input's shape
  bool whole;      // the step runs no other op, so its arguments are the op's
};
std::vector<Site> sites(const Program& program);

struct Plan {
  Fault fault;
  Site site;
  int axis = 0;  // of the input; for missing_sum of the output
  std::int64_t element = 0;
  double factor = 1;  // of Fault::count

  /// 2 for what only second derivatives show.
  int order() const { return fault == Fault::detached || fault == Fault::saved_detached ? 2 : 1; }
  /// What a report should call it; empty for what is none of the known patterns.
  std::string pattern() const;
};
/// All ways to plant a fault of this kind at the site; one for those that have an element, drawn by `random`.
std::vector<Plan> plans(Fault fault, const Site& site, std::uint64_t random);

/// The program with the fault.
class Faulty {
 public:
  Faulty(const Program& program, const Plan& plan) : program_(program), plan_(plan) {}
  Tensor operator()(const Tensors& x) const;

  /// Whether the fault changes an entry of the rule's result and one of a gradient of the program by more than 1e-4.
  bool matters();
  /// Whether the rule's result for the planted input is wrong in this element.
  bool wrong(std::int64_t element) const;
  std::int64_t wrong_elements() const { return std::count(wrong_.begin(), wrong_.end(), true); }

 private:
  const Program& program_;
  Plan plan_;
  std::vector<bool> wrong_;
};

}  // namespace xgrad::mutations
