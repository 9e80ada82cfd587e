// Takes the times of ops, rules and phases while a profiler is alive.
#include <algorithm>
#include <autograd/observers/profiler_notes.hpp>
#include <autograd/primitive.hpp>
#include <chrono>
#include <cmath>

namespace xgrad {
namespace {

using Part = ProfileRow::Part;

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

template <std::size_t N>
bool is_any(std::string_view name, const std::string_view (&names)[N]) {
  return std::find(names, names + N, name) != names + N;
}

/// The elements of one matrix of an array; of all of them if `whole`.
double matrix_size(const Array& a, bool whole) {
  return static_cast<double>(whole || a.ndim() <= 2 ? a.size() : a.shape()[-1] * a.shape()[-2]);
}

/// Of recurrent layers and attention; the way back has twice the products of the way there, the weights once more.
double sequence_flops(const OpCall& call, const Array& result) {
  const std::string_view name = call.name;
  const std::size_t first = name.ends_with("_backward") ? 1 : 0;  // behind the cotangent
  const auto array = [&](std::size_t i) -> const Array& { return call.inputs[first + i].tensor().array(); };
  const auto size = [](const Array& a) { return static_cast<double>(a.size()); };
  if (is_any(name, attention_ops)) {
    const auto keys = static_cast<double>(array(1).shape()[-2]);
    const double of_scores = keys * size(array(0)),
                 of_values = keys * size(first ? call.inputs[0].tensor().array() : result);
    return 2 * (first ? 3 * of_scores + 2 * of_values : of_scores + of_values);
  }
  const Array& x = array(0);
  const auto rows = static_cast<double>(x.shape()[0] * x.shape()[1]);
  return 2 * rows * (size(array(1)) + size(array(2))) * (first ? 2 : 1);
}

double flops_of(const OpCall& call, const Array& result) {
  const auto array = [&](std::size_t i) -> const Array& { return call.inputs[i].tensor().array(); };
  if (is_any(call.name, attention_ops) || is_any(call.name, recurrent_ops)) return sequence_flops(call, result);
  if (is_any(call.name, product_ops)) {
    const bool dense = std::string_view(call.name) == "dense";
    // (m, k), (k, n) and (m, n): the root of the product of the three sizes is m k n.
    const Array* const arrays[] = {&array(0), &array(1), &result};
    double product = 1, batch = 1;
    for (const Array* a : arrays) {
      const double one = matrix_size(*a, dense);
      product *= one;
      if (one > 0) batch = std::max(batch, static_cast<double>(a->size()) / one);
    }
    return 2 * batch * std::sqrt(product) + (call.input_count > 2 ? static_cast<double>(result.size()) : 0);
  }
  if (is_any(call.name, window_ops)) {
    // Each element of y meets the weights of its output. The derivative by weights has y as its second input and the
    // weights as its result; the transposed map has y as its first input.
    const bool by_weights = std::string_view(call.name) == "conv_weights";
    const Array& w = by_weights ? result : array(1);
    const Array& y = by_weights ? array(1) : std::string_view(call.name) == "conv" ? result : array(0);
    const auto of_output = static_cast<double>(w.size() / std::max<std::int64_t>(w.shape()[0], 1));
    return 2 * of_output * static_cast<double>(y.size()) +
           (call.input_count > 2 ? static_cast<double>(result.size()) : 0);
  }
  if (is_any(call.name, moving_ops)) return 0;
  std::int64_t size = result.size();
  for (std::size_t i = 0; i < call.input_count; ++i)
    if (!call.inputs[i].is_number()) size = std::max(size, call.inputs[i].tensor().size());
  return static_cast<double>(size);
}

std::int64_t bytes_of(const OpCall& call, const Array& result) {
  for (std::size_t i = 0; i < call.input_count; ++i)
    if (!call.inputs[i].is_number() && call.inputs[i].tensor().array().storage() == result.storage()) return 0;
  return static_cast<std::int64_t>(result.bytes());
}

}  // namespace

/// The time during which notes are taken is none.
class Profiler::Notes::Writing {
 public:
  explicit Writing(Notes& notes) : notes_(notes), since_(seconds_now()), now(since_ - notes.lost_) {}
  ~Writing() { notes_.lost_ += seconds_now() - since_; }
  Writing(const Writing&) = delete;
  Writing& operator=(const Writing&) = delete;

 private:
  Notes& notes_;
  const double since_;

 public:
  const double now;
};

int Profiler::Notes::index_of(std::string&& path) {
  const auto [it, is_new] = index_.try_emplace(std::move(path), static_cast<int>(paths.size()));
  if (is_new) paths.push_back(it->first);
  return it->second;
}

int Profiler::Notes::path_of(const Node& node) const {
  const auto it = made_.find(&node);
  return it != made_.end() && it->second.id == node.id ? it->second.path : 0;
}

void Profiler::Notes::begin(double now, Kind kind, const char* name, Place place, int path) {
  Part part = open_.empty() ? Part::forward : open_.back().event.part;
  if (kind == Kind::pass || kind == Kind::rule) part = Part::backward;
  if (kind == Kind::step) part = Part::optimizer;
  open_.push_back({{name, place, kind, part, path, now, 0, 0, 0, {}}, 0, false});
}

void Profiler::Notes::end(double now) {
  Open done = std::move(open_.back());
  open_.pop_back();
  Event& e = done.event;
  e.seconds = now - e.start;
  const double self = e.seconds - done.inner;
  if (!open_.empty()) {
    Open& outer = open_.back();
    outer.inner += e.seconds;
    outer.event.bytes += e.bytes;
    outer.event.flops += e.flops;
    outer.has_ops |= e.kind == Kind::op || done.has_ops;
  }
  Sums& sums = rows[{e.part, e.kind, e.name, e.path}];
  ++sums.calls;
  sums.total += e.seconds;
  sums.self += self;
  sums.bytes += e.bytes;
  sums.flops += e.flops;
  sums.own_bytes += done.own_bytes;
  sums.own_flops += done.own_flops;
  if (events.size() < most_events) events.push_back(std::move(e));
}

Profiler::Profiler() : notes_(std::make_unique<Notes>()), observing_(*this) {}
Profiler::~Profiler() = default;

void Profiler::op_starts(const OpCall& call) {
  const Notes::Writing writing(*notes_);
  const int path = call.differentiating ? notes_->path_of(*call.differentiating) : notes_->index_of(PathScope::path());
  notes_->begin(writing.now, Kind::op, call.name, call.place, path);
}

void Profiler::op_ends(const OpCall& call, const Tensor& result) {
  const Notes::Writing writing(*notes_);
  Notes::Open* const open = notes_->innermost(Kind::op, call.name);
  if (!open) return;
  if (result.defined()) {
    open->event.shape = result.shape();
    if (!open->has_ops) {  // otherwise those inside did the work
      open->event.bytes = open->own_bytes = bytes_of(call, result.array());
      open->event.flops = open->own_flops = flops_of(call, result.array());
    }
    if (result.requires_grad()) notes_->remember(*result.node(), open->event.path);
  }
  notes_->end(writing.now);
}

void Profiler::vjp_starts(const Node& node, const Edge&, const Tensor&) {
  const Notes::Writing writing(*notes_);
  notes_->begin(writing.now, Kind::rule, node.name, node.place(), notes_->path_of(node));
}

void Profiler::vjp_ends(const Node& node, const Edge&, Tensor&) {
  const Notes::Writing writing(*notes_);
  if (notes_->innermost(Kind::rule, node.name)) notes_->end(writing.now);
}

void Profiler::phase_starts(Phase phase, const char* name, Place place) {
  const Notes::Writing writing(*notes_);
  notes_->begin(writing.now, phase == Phase::backward ? Kind::pass : Kind::step, name, place,
                notes_->index_of(PathScope::path()));
}

void Profiler::phase_ends(Phase phase) {
  const Notes::Writing writing(*notes_);
  const Kind kind = phase == Phase::backward ? Kind::pass : Kind::step;
  // What an exception of another observer left open.
  while (notes_->is_open(kind) && !notes_->innermost(kind, nullptr)) notes_->end(writing.now);
  if (notes_->innermost(kind, nullptr)) notes_->end(writing.now);
}

}  // namespace xgrad
