// Finds the first op or rule that gives NaN or infinity, and says where its inputs came from.
#include <algorithm>
#include <autograd/anomaly.hpp>
#include <autograd/core/capturing.hpp>
#include <autograd/primitive.hpp>
#include <charconv>
#include <cmath>
#include <unordered_map>

namespace xgrad {
namespace {

template <class T>
void look(const T* x, std::int64_t n, ValueRange& range) {
  bool any = false;
  for (std::int64_t i = 0; i < n; ++i) {
    const auto value = static_cast<double>(x[i]);
    if (std::isfinite(value)) {
      range.least = any ? std::min(range.least, value) : value;
      range.largest = any ? std::max(range.largest, value) : value;
      any = true;
    } else {
      ++(std::isnan(value) ? range.nans : range.infinities);
    }
  }
}

/// "a: f32 (2,) in [0, 1]; b: the number 2".
std::string described(const OpCall& call) {
  std::string s;
  for (std::size_t i = 0; i < call.input_count; ++i) {
    const OperandRef& input = call.inputs[i];
    s += text(i > 0 ? "; input " : "input ", i, ": ");
    if (input.is_number()) {
      s += text("the number ", input.number());
    } else {
      s += ValueRange::of(input.tensor().array()).str();
    }
  }
  return s;
}

}  // namespace

ValueRange ValueRange::of(const Array& array) {
  ValueRange range{array.dtype(), array.shape()};
  switch (array.dtype()) {
    case Dtype::f32:
      look(array.data<float>(), array.size(), range);
      break;
    case Dtype::f64:
      look(array.data<double>(), array.size(), range);
      break;
    case Dtype::i64:
      look(array.data<std::int64_t>(), array.size(), range);
      break;
    case Dtype::boolean:
      look(array.data<bool>(), array.size(), range);
      break;
  }
  return range;
}

std::string ValueRange::str() const {
  std::string s = text(name_of(dtype), " ", shape);
  const std::int64_t finite = shape.size() - nans - infinities;
  const auto number = [this](double x) {
    char buffer[32];
    const auto end = dtype == f32 ? std::to_chars(buffer, buffer + 32, static_cast<float>(x)).ptr
                                  : std::to_chars(buffer, buffer + 32, x).ptr;
    return std::string(buffer, end);
  };
  if (finite > 0) s += text(" in [", number(least), ", ", number(largest), "]");
  if (nans + infinities == 0) return s;
  s += finite > 0 ? " but for " : " of ";
  if (nans > 0) s += text(nans, " NaN");
  if (infinities > 0) s += text(nans > 0 ? " and " : "", infinities, " inf");
  return s;
}

struct DetectAnomaly::Notes {
  struct Made {
    std::uint64_t id;  // of the node: addresses are used again
    std::string path;
    std::vector<ValueRange> inputs;
  };
  int open_ops = 0;
  std::unordered_map<const Node*, Made> made;
  std::vector<ValueRange> arrived;  // what the rules in progress were given
  std::string suspect;              // the first op within the rule in progress whose result is not finite
};

DetectAnomaly::DetectAnomaly(AnomalyOptions options)
    : options_(options), notes_(std::make_unique<Notes>()), observing_(*this) {}
DetectAnomaly::~DetectAnomaly() = default;

bool DetectAnomaly::is_anomaly(const ValueRange& range) const {
  return range.nans > 0 || (range.infinities > 0 && !options_.allow_infinity);
}

void DetectAnomaly::op_starts(const OpCall&) { ++notes_->open_ops; }

void DetectAnomaly::op_computed(const OpCall& call, Array& result) {
  if (notes_->open_ops > 1 && !call.differentiating) return;  // the op around it will be asked
  const ValueRange range = ValueRange::of(result);
  if (!is_anomaly(range)) return;
  if (call.differentiating) {
    if (notes_->suspect.empty())
      notes_->suspect = text("; within it ", call.name, " was the first to give such a value");
    return;
  }
  std::string already;
  for (std::size_t i = 0; i < call.input_count; ++i)
    if (!call.inputs[i].is_number() && is_anomaly(ValueRange::of(call.inputs[i].tensor().array())))
      already += text(already.empty() ? "input " : " and input ", i);
  // Errors inside a composed op name the composed op.
  const bool inner = OpScope::name() && text(OpScope::name()) != call.name;
  detail::fail<AnomalyError>(inner ? text("its ", call.name, " ") : "", "gave ", range, " from ", described(call),
                             already.empty()
                                 ? "; this is the first value that is not finite"
                                 : text("; ", already,
                                        " held it already, and no op that was watched made it: it is the program's "
                                        "own data, or older than this DetectAnomaly"));
}

void DetectAnomaly::op_ends(const OpCall& call, const Tensor& result) {
  if (notes_->open_ops > 0) --notes_->open_ops;
  if (!result.requires_grad()) return;
  const Node& node = *result.node();
  Notes::Made& made = notes_->made[&node] = {node.id, PathScope::path(), {}};
  for (std::size_t i = 0; i < call.input_count; ++i) {
    const OperandRef& input = call.inputs[i];
    made.inputs.push_back(input.is_number() ? ValueRange{f64, {}, 0, 0, input.number().real(), input.number().real()}
                                            : ValueRange::of(input.tensor().array()));
  }
}

void DetectAnomaly::fail_in_rule(const Node& node, const std::string& fact) const {
  const auto found = notes_->made.find(&node);
  const bool known = found != notes_->made.end() && found->second.id == node.id;
  const capturing::Words words{node.name, node.place(), known ? found->second.path : ""};
  const DetachedScope detached;
  const capturing::WordsScope scope(&words);
  std::string inputs;
  if (known)
    for (std::size_t i = 0; i < found->second.inputs.size(); ++i)
      inputs += text(i == 0 ? "; in the forward pass input " : ", input ", i, " was ", found->second.inputs[i]);
  detail::fail<AnomalyError>("in the backward pass ", fact, inputs);
}

void DetectAnomaly::vjp_starts(const Node& node, const Edge&, const Tensor& g) {
  notes_->suspect.clear();
  notes_->arrived.push_back(ValueRange::of(g.array()));
  if (is_anomaly(notes_->arrived.back())) {
    const std::string g_was = notes_->arrived.back().str();
    notes_->arrived.pop_back();
    fail_in_rule(node, text("the gradient of its result arrived as ", g_was,
                            ", and no rule gave that: it is the cotangent that was passed in, what a hook returned, or "
                            "a sum of several that overflowed"));
  }
}

void DetectAnomaly::vjp_ends(const Node& node, const Edge& edge, Tensor& result) {
  if (notes_->arrived.empty()) return;
  const ValueRange g = notes_->arrived.back();
  notes_->arrived.pop_back();
  if (!result.defined()) return;
  const ValueRange range = ValueRange::of(result.array());
  if (is_anomaly(range))
    fail_in_rule(node, text("the rule for input ", std::uint32_t(edge.argument), " gave ", range, " from g, ", g,
                            "; this is the first value that is not finite", notes_->suspect));
}

}  // namespace xgrad
