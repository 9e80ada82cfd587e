#include <nn/recurrent.hpp>

#include <autograd/grad_mode.hpp>
#include <nn/layers/common.hpp>

/// Recurrent cells and layers over the ops of autograd/sequences.hpp.
namespace xgrad::nn {
namespace {

/// The part of a state for one cell.
Tensor part(const Tensor& state, std::int64_t i) { return state.defined() ? select(state, 0, i) : Tensor(); }
LstmState part(const LstmState& state, std::int64_t i) { return {part(state.hidden, i), part(state.cell, i)}; }

Tensor together(const std::vector<Tensor>& parts) { return stack(parts); }
LstmState together(const std::vector<LstmState>& parts) {
  std::vector<Tensor> hidden, cell;
  for (const LstmState& p : parts) {
    hidden.push_back(p.hidden);
    cell.push_back(p.cell);
  }
  return {stack(hidden), stack(cell)};
}

/// The states after each step of one cell, and the last one.
template <class State>
struct Run {
  Tensor states;
  State last;
};
Tensor last_of(const Tensor& states, bool reversed) { return select(states, 1, reversed ? 0 : -1); }
Run<Tensor> run(const RNNCell& cell, const Operand& x, const Tensor& state, const RecurrentOptions& options) {
  const Tensor states = rnn(x, cell.weights(), state, options);
  return {states, last_of(states, options.reversed)};
}
Run<Tensor> run(const GRUCell& cell, const Operand& x, const Tensor& state, const RecurrentOptions& options) {
  const Tensor states = gru(x, cell.weights(), state, options);
  return {states, last_of(states, options.reversed)};
}
Run<LstmState> run(const LSTMCell& cell, const Operand& x, const LstmState& state, const RecurrentOptions& options) {
  const LstmState states = lstm(x, cell.weights(), state, options);
  return {states.hidden, {last_of(states.hidden, options.reversed), states.cell}};
}

template <class Cell, class State>
State one_step(const Cell& cell, const Operand& x, const State& state) {
  const OpScope scope(Cell::op, x.place());
  // What is checked here has another shape in the op, which would name that.
  if (!x.is_number() && cell.weight_input.defined() && (x.ndim() != 2 || x.shape()[1] != cell.weight_input.shape()[0]))
    scope.fail("x is ", x.shape(), "; expected (n, ", cell.weight_input.shape()[0], "), the step of each sequence");
  return run(cell, x.is_number() ? x : unsqueeze(x, 1), state, {}).last;
}

void check_state(const Tensor& state, const char* what, const Shape& expected) {
  if (state.defined() && state.shape() != expected)
    xgrad::detail::fail<ShapeError>("the ", what, " is ", state.shape(), ", expected ", expected,
                                    ", (layers and directions, n, hidden)");
}
void check_state(const Tensor& state, const Shape& expected) { check_state(state, "state", expected); }
void check_state(const LstmState& state, const Shape& expected) {
  check_state(state.hidden, "hidden state", expected);
  check_state(state.cell, "cell state", expected);
}

/// The mask of a call, undefined if all steps count.
Tensor mask_of(const Operand& x, const Tensor& lengths, const Tensor& mask) {
  if (!lengths.defined()) return mask;
  if (mask.defined()) xgrad::detail::fail<ValueError>("there are lengths and a mask; give one of them");
  if (lengths.ndim() != 1 || lengths.shape()[0] != x.shape()[0])
    xgrad::detail::fail<ShapeError>("the lengths are ", lengths.shape(), ", expected ", Shape{x.shape()[0]},
                                    ", one for each sequence");
  return sequence_mask(lengths, x.shape()[1]);
}

}  // namespace

namespace detail {

RecurrentCell::RecurrentCell(const char* name, std::int64_t gates, std::int64_t biases, std::int64_t in,
                             std::int64_t hidden, const CellOptions& options, Place place)
    : name_(name), in_(in), hidden_(hidden) {
  const OpScope scope(name, place);
  if (in < 0 || hidden < 0)
    scope.fail<ValueError>("negative size: ", in, " inputs and ", hidden, " hidden units; both must be at least 0");
  const TensorOptions own{.dtype = options.dtype};
  weight_input = Parameter(options.weight_init({in, gates * hidden}, own));
  weight_hidden = Parameter(options.recurrent_init({hidden, gates * hidden}, own));
  if (options.bias) bias = Parameter(zeros(Shape{biases * hidden}, own));
}

void RecurrentCell::members(Visitor& visit) {
  visit("weight_input", weight_input);
  visit("weight_hidden", weight_hidden);
  visit("bias", bias);
}

std::string RecurrentCell::describe() const { return text(name_, " ", in_, " -> ", hidden_); }

}  // namespace detail

RNNCell::RNNCell(std::int64_t in, std::int64_t hidden, CellOptions options, Place place)
    : RecurrentCell("RNNCell", 1, 1, in, hidden, options, place) {}
GRUCell::GRUCell(std::int64_t in, std::int64_t hidden, CellOptions options, Place place)
    : RecurrentCell("GRUCell", 3, 4, in, hidden, options, place) {}
LSTMCell::LSTMCell(std::int64_t in, std::int64_t hidden, CellOptions options, Place place)
    : RecurrentCell("LSTMCell", 4, 4, in, hidden, options, place) {
  if (!options.bias) return;
  const TensorOptions own{.dtype = options.dtype};
  bias = concatenate({zeros({hidden}, own), ones({hidden}, own), zeros({2 * hidden}, own)});
}

Tensor RNNCell::operator()(const Operand& x, const Tensor& state) const {
  return hooked(x, [&](const Operand& input) { return one_step(*this, input, state); });
}
Tensor GRUCell::operator()(const Operand& x, const Tensor& state) const {
  return hooked(x, [&](const Operand& input) { return one_step(*this, input, state); });
}
LstmState LSTMCell::operator()(const Operand& x, const LstmState& state) const {
  Tensor cell;
  const Tensor hidden = hooked(x, [&](const Operand& input) {
    const LstmState next = one_step(*this, input, state);
    cell = next.cell;
    return next.hidden;
  });
  return {hidden, cell};
}

namespace detail {

template <class Cell, class State>
RecurrentLayer<Cell, State>::RecurrentLayer(std::int64_t in, std::int64_t hidden, const RecurrentLayerOptions& options,
                                            Place place)
    : in_(in), dropout_(options.dropout) {
  const OpScope scope(Cell::layer, place);
  if (options.layers < 1) scope.fail<ValueError>("there are ", options.layers, " layers; expected at least 1");
  check_share(scope, "dropout", dropout_);
  const CellOptions own{options.bias, options.weight_init, options.recurrent_init, options.dtype};
  for (int k = 0; k < options.layers; ++k) {
    const std::int64_t features = k == 0 ? in : hidden * (options.bidirectional ? 2 : 1);
    cells.push_back(Cell(features, hidden, own, place));
    if (options.bidirectional) reversed.push_back(Cell(features, hidden, own, place));
  }
}

template <class Cell, class State>
Tensor RecurrentLayer<Cell, State>::run(const Operand& x, const RecurrentInput<State>& more, State& last) const {
  const std::size_t directions = reversed.empty() ? 1 : 2;
  const bool fits = !x.is_number() && x.ndim() == 3;  // the op says what does not
  if (fits) check_state(more.state, {std::ssize(cells) + std::ssize(reversed), x.shape()[0], cells[0].hidden()});
  const Tensor mask = fits ? mask_of(x, more.lengths, more.mask) : Tensor();
  std::vector<State> states;
  Tensor y = x.is_number() ? Tensor() : x.tensor();
  for (std::size_t k = 0; k < cells.size(); ++k) {
    if (k > 0 && dropout_ > 0 && is_training()) y = dropped(y, bernoulli(y.shape(), 1 - dropout_), dropout_);
    std::vector<Tensor> outputs;
    for (std::size_t direction = 0; direction < directions; ++direction) {
      const Cell& cell = direction == 0 ? cells[k] : reversed[k];
      const State start = part(more.state, static_cast<std::int64_t>(k * directions + direction));
      const auto [all, end] =
          nn::run(cell, k == 0 ? x : Operand(y, x.place()), start, {.mask = mask, .reversed = direction == 1});
      outputs.push_back(all);
      states.push_back(end);
    }
    y = directions == 1 ? outputs[0] : concatenate(outputs, -1);
    if (mask.defined()) y = where(unsqueeze(mask, 2), y, 0);
  }
  last = together(states);
  return y;
}

template <class Cell, class State>
RecurrentResult<State> RecurrentLayer<Cell, State>::operator()(const Operand& x,
                                                               const RecurrentInput<State>& more) const {
  RecurrentResult<State> result;
  result.output = hooked(x, [&](const Operand& input) {
    const OpScope scope(Cell::op, input.place());
    return run(input, more, result.state);
  });
  return result;
}

template <class Cell, class State>
void RecurrentLayer<Cell, State>::members(Visitor& visit) {
  visit("cells", cells);
  visit("reversed", reversed);
}

template <class Cell, class State>
std::string RecurrentLayer<Cell, State>::describe() const {
  return text(Cell::layer, " ", in_, " -> ", output_features(in_),
              cells.size() > 1 ? text(", ", cells.size(), " layers") : "", reversed.empty() ? "" : ", both directions");
}

template <class Cell, class State>
std::int64_t RecurrentLayer<Cell, State>::output_features(std::int64_t) const {
  return cells.empty() ? -1 : cells[0].hidden() * (reversed.empty() ? 1 : 2);
}

template class RecurrentLayer<RNNCell, Tensor>;
template class RecurrentLayer<GRUCell, Tensor>;
template class RecurrentLayer<LSTMCell, LstmState>;

}  // namespace detail
}  // namespace xgrad::nn
