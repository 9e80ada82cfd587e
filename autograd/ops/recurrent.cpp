#include <algorithm>
#include <autograd/core/kernel_calls.hpp>
#include <autograd/grad_mode.hpp>
#include <autograd/ops/recurrent.hpp>
#include <autograd/ops/reduce.hpp>
#include <autograd/ops/shared_rule.hpp>
#include <autograd/outputs.hpp>

/// Recurrent layers: one product for the inputs of all steps, a kernel that takes the steps, another that goes them
/// back, and one product each for the cotangents of weights and inputs.
namespace xgrad {
namespace {

using detail::RecurrentInputs;
using kernels::Recurrent;

struct Names {
  const char *forward, *backward;
};
constexpr Names names[] = {{"rnn", "rnn_backward"}, {"lstm", "lstm_backward"}, {"gru", "gru_backward"}};

/// Arrays of all steps lie step by step, in the order in which these are taken: (steps, n, columns).
Array by_steps(const Array& x, bool reversed) {
  const std::int64_t n = x.shape()[0], steps = x.shape()[1], columns = x.shape().product(2, x.ndim());
  const std::int64_t first = reversed ? (steps - 1) * columns : 0;
  return strided_copy(x, {steps, n, columns}, {reversed ? -columns : columns, steps * columns, 1}, first);
}
/// And back: (n, steps, columns).
Array by_rows(const Array& x, bool reversed) {
  const std::int64_t steps = x.shape()[0], n = x.shape()[1], columns = x.shape()[2], next = n * columns;
  return strided_copy(x, {n, steps, columns}, {columns, reversed ? -next : next, 1}, reversed ? (steps - 1) * next : 0);
}

void copy(const Array& from, const Array& to) {
  if (from.size() > 0)
    kernels::table().copy[int(from.dtype())](from.data(), to.data(), kernels::Loop<2>::row(from.size(), 1, 1));
}
Array cleared(Dtype dtype, const Shape& shape) { return zeros(shape, {.dtype = dtype}).array(); }

/// C = A B, or A^T B, of rows.
Array product(const Array& a, const Array& b, bool transpose_a, std::int64_t m, std::int64_t k, std::int64_t n) {
  Array c(a.dtype(), {m, n});
  kernels::table().gemm[int(a.dtype())]({.transpose_a = transpose_a, .m = m, .n = n, .k = k}, a.data(), b.data(),
                                        c.data());
  return c;
}
Array transposed(const Array& x) { return strided_copy(x, {x.shape()[1], x.shape()[0]}, {1, x.shape()[1]}); }
Array sum_rows(const Array& x, std::int64_t rows, std::int64_t columns, const Array& to) {
  if (to.size() > 0)
    kernels::table().reduce[int(kernels::Reduce::sum)][int(x.dtype())](x.data(), to.data(), 1, rows, columns);
  return to;
}

/// One call of a layer: its inputs, and what its steps have left for the way back.
struct Layer {
  RecurrentInputs in;
  kernels::Recurrence shape;
  Array x, gates, products, h, c, mask;
  SharedRule by_states, by_cell;  // the rules of the two results

  Layer(RecurrentInputs&& inputs, int rules)
      : in(std::move(inputs)),
        shape{in.steps(), in.x.shape()[0], in.hidden(), in.x.shape()[0]},
        by_states(rules),
        by_cell(rules) {}

  std::int64_t columns() const { return kernels::gates_of(in.kind) * shape.hidden; }
  Array state(const Array& all, std::int64_t step) const {
    return all.viewed({shape.rows, shape.hidden}, step * shape.rows * shape.hidden);
  }

  void forward() {
    const Dtype dtype = in.x.dtype();
    x = by_steps(in.x.array(), in.reversed);
    if (in.mask.defined()) capturing::keep(in.mask), mask = by_steps(in.mask.array(), in.reversed);
    const std::int64_t rows = shape.steps * shape.rows;
    gates = product(x, in.w.array(), false, rows, in.w.shape()[0], columns());
    if (in.kind == Recurrent::gru) products = Array(dtype, {rows, columns()});
    h = Array(dtype, {shape.steps + 1, shape.rows, shape.hidden});
    copy(in.start.array(), state(h, 0));
    if (in.kind == Recurrent::lstm) {
      c = Array(dtype, h.shape());
      copy(in.cell.array(), state(c, 0));
    }
    if (h.size() > 0)
      kernels::table().recurrent[int(in.kind)][int(dtype)](shape, in.u.array().data(), in.bias.array().data(),
                                                           mask.data<bool>(), gates.data(), products.data(), h.data(),
                                                           c.data());
  }

  /// The cotangents of x, w, u, bias, start and cell from those of the states and of the last cell.
  std::array<Array, 6> backward(const Array& g, const Array& of_cell) const {
    const Dtype dtype = in.x.dtype();
    const std::int64_t rows = shape.steps * shape.rows, hidden = shape.hidden, features = in.w.shape()[0];
    const bool is_gru = in.kind == Recurrent::gru;
    const Array along = g.defined() ? by_steps(g, in.reversed) : Array(), u = transposed(in.u.array());
    const Array dgates(dtype, {rows, columns()}), dproducts = is_gru ? Array(dtype, dgates.shape()) : Array();
    Array dh = cleared(dtype, in.start.shape()), dc = cleared(dtype, c.defined() ? dh.shape() : Shape{0});
    if (of_cell.defined()) copy(of_cell, dc);
    if (h.size() > 0)
      kernels::table().recurrent_backward[int(in.kind)][int(dtype)](
          shape, u.data(), along.data(), mask.data<bool>(), gates.data(), products.data(), h.data(), c.data(),
          dgates.data(), dproducts.data(), dh.data(), c.defined() ? dc.data() : nullptr);
    std::array<Array, 6> result;
    for (Array& part : result) part = Array(dtype, {0});
    if (in.x.requires_grad()) {
      const Array dx = product(dgates, transposed(in.w.array()), false, rows, columns(), features);
      result[0] = by_rows(dx.viewed({shape.steps, shape.rows, features}), in.reversed);
    }
    if (in.w.requires_grad()) result[1] = product(x, dgates, true, features, rows, columns());
    const Array& of_products = is_gru ? dproducts : dgates;
    if (in.u.requires_grad()) result[2] = product(h, of_products, true, hidden, rows, columns());
    if (in.bias.requires_grad()) {
      result[3] = Array(dtype, in.bias.shape());
      sum_rows(dgates, rows, columns(), result[3].viewed({columns()}));
      if (is_gru) {
        const Array all = sum_rows(dproducts, rows, columns(), Array(dtype, {columns()}));
        copy(all.viewed({hidden}, 2 * hidden), result[3].viewed({hidden}, 3 * hidden));
      }
    }
    result[4] = std::move(dh);
    result[5] = std::move(dc);
    return result;
  }

  /// That of input i, from the cotangent of the states or of the last cell.
  Tensor cotangent(std::size_t i, const Tensor& g, bool of_states) {
    if (grad_enabled()) return detail::recurrent_cotangents(in, of_states ? g : Tensor(), of_states ? Tensor() : g)[i];
    return (of_states ? by_states : by_cell).take(i, g, [&] {
      const Array states = of_states ? g.array() : Array(), cell = of_states ? Array() : g.array();
      const Tensor& last = in.cell.defined() ? in.cell : in.start;
      const auto parts = primitive(
          names[int(in.kind)].backward, {g, in.x, in.w, in.u, in.bias, in.start, last},
          [&] { return backward(states, cell); }, not_differentiable, not_differentiable, not_differentiable,
          not_differentiable, not_differentiable, not_differentiable, not_differentiable);
      return std::vector<Tensor>(parts.begin(), parts.end());
    });
  }
};

/// Records a result of the layer.
template <class Forward>
Tensor recorded(const char* name, const std::shared_ptr<Layer>& layer, bool of_states, const Forward& forward) {
  const auto rule = [&](std::size_t i) {
    return [layer, i, of_states](const Tensor& g) { return layer->cotangent(i, g, of_states); };
  };
  const RecurrentInputs& in = layer->in;
  if (!in.cell.defined())
    return primitive(name, {in.x, in.w, in.u, in.bias, in.start}, forward, rule(0), rule(1), rule(2), rule(3), rule(4));
  return primitive(name, {in.x, in.w, in.u, in.bias, in.start, in.cell}, forward, rule(0), rule(1), rule(2), rule(3),
                   rule(4), rule(5));
}

void check_state(const OpScope& scope, const char* what, const Tensor& state, const Shape& shape) {
  if (state.defined() && state.shape() != shape)
    scope.fail("the ", what, " is ", state.shape(), ", expected ", shape, ", a row of hidden units for each sequence");
}

/// The inputs, after checks.
RecurrentInputs checked(const OpScope& scope, Recurrent kind, const Operand& x, const RecurrentWeights& weights,
                        const LstmState& start, const RecurrentOptions& options) {
  const Tensor &w = weights.input, &u = weights.hidden;
  check_floating(x);
  if (!w.defined() || !u.defined())
    scope.fail<ValueError>("the weights of the input or of the hidden units are undefined");
  const std::int64_t gates = kernels::gates_of(kind);
  if (w.ndim() != 2 || u.ndim() != 2 || w.shape()[1] != u.shape()[1] || u.shape()[1] != gates * u.shape()[0])
    scope.fail("the weights are ", w.shape(), " and ", u.shape(), "; expected (in, ", gates, " h) and (h, ", gates,
               " h)");
  if (x.ndim() != 3) scope.fail("x is ", x.shape(), "; expected (n, steps, ", w.shape()[0], ")");
  if (x.shape()[2] != w.shape()[0])
    scope.fail("x is ", x.shape(), ", and its steps need ", w.shape()[0], " features, not ", x.shape()[2]);
  const std::int64_t n = x.shape()[0], steps = x.shape()[1], hidden = u.shape()[0];
  if (steps == 0) scope.fail("x is ", x.shape(), ", a sequence of no steps; it needs at least one");
  const Shape biases{(kind == Recurrent::gru ? 4 : gates) * hidden};
  if (weights.bias.defined() && weights.bias.shape() != biases)
    scope.fail("the bias is ", weights.bias.shape(), ", expected ", biases);
  check_state(scope, kind == Recurrent::lstm ? "hidden state" : "state", start.hidden, {n, hidden});
  check_state(scope, "cell state", start.cell, {n, hidden});
  for (const Tensor* t : {&w, &u, &weights.bias, &start.hidden, &start.cell})
    if (t->defined() && t->dtype() != x.dtype())
      scope.fail<DtypeError>("x is ", name_of(x.dtype()), ", a weight or the state is ", name_of(t->dtype()),
                             "; convert one with .to(...)");
  if (const Tensor& mask = options.mask; mask.defined()) {
    if (mask.dtype() != boolean)
      scope.fail<DtypeError>("the mask is ", name_of(mask.dtype()), ", not boolean; compare it, as in mask != 0");
    if (mask.shape() != Shape{n, steps})
      scope.fail("the mask is ", mask.shape(), ", expected ", Shape{n, steps}, ", one for each step");
  }
  const TensorOptions own{.dtype = x.dtype()};
  // Steps that the mask leaves out are zeros from here on: what they hold, perhaps NaN, would reach the weights'
  // cotangents, which are products with the inputs, as a NaN times zero.
  const Tensor along = options.mask.defined() ? where(unsqueeze(options.mask, 2), x, 0) : x.tensor();
  const auto or_zeros = [&](const Tensor& t, const Shape& shape) { return t.defined() ? t : zeros(shape, own); };
  return {kind,
          along,
          w,
          u,
          or_zeros(weights.bias, biases),
          or_zeros(start.hidden, {n, hidden}),
          kind == Recurrent::lstm ? or_zeros(start.cell, {n, hidden}) : Tensor(),
          options.mask,
          options.reversed};
}

/// The states after each step, and the layer.
std::pair<Tensor, std::shared_ptr<Layer>> run(Recurrent kind, const Operand& x, const RecurrentWeights& weights,
                                              const LstmState& start, const RecurrentOptions& options) {
  const OpScope scope(names[int(kind)].forward, x.place());
  RecurrentInputs in = checked(scope, kind, x, weights, start, options);
  int rules = 0;
  for (const Tensor* t : {&in.x, &in.w, &in.u, &in.bias, &in.start, &in.cell}) rules += t->requires_grad();
  const auto layer = std::make_shared<Layer>(std::move(in), rules);
  const Tensor states = recorded(names[int(kind)].forward, layer, true, [&] {
    layer->forward();
    const kernels::Recurrence& s = layer->shape;
    return by_rows(layer->h.viewed({s.steps, s.rows, s.hidden}, s.rows * s.hidden), options.reversed);
  });
  return {states, layer};
}

}  // namespace

Tensor rnn(const Operand& x, const RecurrentWeights& weights, const Tensor& start, const RecurrentOptions& options) {
  return run(Recurrent::rnn, x, weights, {start, {}}, options).first;
}

Tensor gru(const Operand& x, const RecurrentWeights& weights, const Tensor& start, const RecurrentOptions& options) {
  return run(Recurrent::gru, x, weights, {start, {}}, options).first;
}

LstmState lstm(const Operand& x, const RecurrentWeights& weights, const LstmState& start,
               const RecurrentOptions& options) {
  const OpScope scope("lstm", x.place());
  const auto states_and_layer = run(Recurrent::lstm, x, weights, start, options);
  const std::shared_ptr<Layer>& layer = states_and_layer.second;
  // A node of its own, so that nobody who does not ask for its gradient pays for one; who asks for both takes the steps
  // back twice.
  const Tensor cell =
      recorded("lstm_cell", layer, false, [&] { return layer->state(layer->c, layer->shape.steps).clone(); });
  return {states_and_layer.first, cell};
}

}  // namespace xgrad
