#include <autograd/ops/recurrent.hpp>

/// The way back through a recurrent layer as ops: for derivatives that are to be differentiated again. Its forward is
/// computed anew, so that it is recorded too.
namespace xgrad::detail {
namespace {

using kernels::Recurrent;

/// A step of the forward.
struct Step {
  Tensor h, c;           // before it
  Tensor gates[4];       // i, f, g, o of an LSTM; r, u, t of a GRU; h' of an RNN
  Tensor squashed, own;  // tanh(c'); h Ut + ct of a GRU
  Tensor mask;           // (n, 1), undefined if there is none
};

/// The steps of x in the order in which they are taken.
Tensor ordered(const Tensor& x, bool reversed) { return reversed ? flip(x, {1}) : x; }

Tensor chosen(const Tensor& mask, const Tensor& own, const Tensor& otherwise) {
  return mask.defined() ? where(mask, own, otherwise) : own;
}

/// Takes one step, on z = x W + b of it; h and c move on.
Step step(const RecurrentInputs& in, const Tensor& z, const Tensor& mask, Tensor& h, Tensor& c) {
  const std::int64_t n = in.hidden();
  Step s{h, c, {}, {}, {}, mask};
  const Tensor p = matmul(h, in.u);
  const auto columns = [n](const Tensor& t, std::int64_t k) { return slice(t, -1, k * n, (k + 1) * n); };
  Tensor next;
  if (in.kind == Recurrent::rnn) {
    next = s.gates[0] = tanh(z + p);
  } else if (in.kind == Recurrent::lstm) {
    const Tensor all = z + p;
    for (int k = 0; k < 4; ++k) s.gates[k] = k == 2 ? tanh(columns(all, k)) : sigmoid(columns(all, k));
    const Tensor after = s.gates[1] * c + s.gates[0] * s.gates[2];
    s.squashed = tanh(after);
    next = s.gates[3] * s.squashed;
    c = chosen(mask, after, c);
  } else {
    s.own = columns(p, 2) + columns(in.bias, 3);
    for (int k = 0; k < 2; ++k) s.gates[k] = sigmoid(columns(z, k) + columns(p, k));
    s.gates[2] = tanh(columns(z, 2) + s.gates[0] * s.own);
    next = s.gates[2] + s.gates[1] * (h - s.gates[2]);
  }
  h = chosen(mask, next, h);
  return s;
}

Tensor of_sigmoid(const Tensor& g, const Tensor& y) { return g * (y * (1 - y)); }
Tensor of_tanh(const Tensor& g, const Tensor& y) { return g * (1 - square(y)); }

/// Goes one step back: from the cotangents dh and dc of the state after it to those of the one before. Returns those of
/// the inputs' product and of the recurrent one.
std::pair<Tensor, Tensor> step_back(const RecurrentInputs& in, const Step& s, Tensor& dh, Tensor& dc) {
  const Tensor g = chosen(s.mask, dh, zeros_like(dh));
  Tensor z, p, around;
  if (in.kind == Recurrent::rnn) {
    p = z = of_tanh(g, s.gates[0]);
  } else if (in.kind == Recurrent::lstm) {
    const auto& [i, f, t, o] = s.gates;
    const Tensor own = chosen(s.mask, dc, zeros_like(dc)) + of_tanh(g * o, s.squashed);
    p = z = concatenate(
        {of_sigmoid(own * t, i), of_sigmoid(own * s.c, f), of_tanh(own * i, t), of_sigmoid(g * s.squashed, o)}, -1);
    dc = chosen(s.mask, own * f, dc);
  } else {
    const auto& [r, u, t, unused] = s.gates;
    const Tensor fresh = of_tanh(g * (1 - u), t);
    const Tensor reset = of_sigmoid(fresh * s.own, r), update = of_sigmoid(g * (s.h - t), u);
    z = concatenate({reset, update, fresh}, -1);
    p = concatenate({reset, update, fresh * r}, -1);
    around = g * u;
  }
  const Tensor through = matmul(p, in.u, {.transpose_b = true});
  dh = chosen(s.mask, around.defined() ? through + around : through, dh);
  return {z, p};
}

}  // namespace

std::vector<Tensor> recurrent_cotangents(const RecurrentInputs& in, const Tensor& g, const Tensor& of_cell) {
  const std::int64_t n = in.hidden(), steps = in.steps();
  const Tensor x = ordered(in.x, in.reversed), along = g.defined() ? ordered(g, in.reversed) : Tensor();
  const Tensor mask = in.mask.defined() ? unsqueeze(ordered(in.mask, in.reversed), 2) : Tensor();
  const bool is_gru = in.kind == Recurrent::gru;
  const Tensor z = dense(x, in.w, is_gru ? slice(in.bias, 0, 0, 3 * n) : in.bias);
  std::vector<Step> taken;
  Tensor h = in.start, c = in.cell;
  for (std::int64_t t = 0; t < steps; ++t)
    taken.push_back(step(in, select(z, 1, t), mask.defined() ? select(mask, 1, t) : Tensor(), h, c));
  Tensor dh = zeros_like(h), dc = of_cell.defined() || !c.defined() ? of_cell : zeros_like(c);
  std::vector<Tensor> of_z, of_p, before;
  for (auto s = taken.rbegin(); s != taken.rend(); ++s) {
    const std::int64_t t = taken.rend() - s - 1;
    if (along.defined()) dh = dh + select(along, 1, t);
    auto [own, product] = step_back(in, *s, dh, dc);
    of_z.insert(of_z.begin(), own);
    of_p.insert(of_p.begin(), product);
    before.insert(before.begin(), s->h);
  }
  const auto rows = [](const Tensor& t) { return reshape(t, {t.shape()[0] * t.shape()[1], t.shape()[2]}); };
  const Tensor dz = stack(of_z, 1), dp = is_gru ? stack(of_p, 1) : dz;
  Tensor bias = sum(dz, {0, 1});
  if (is_gru) bias = concatenate({bias, sum(slice(dp, 2, 2 * n, 3 * n), {0, 1})});
  return {ordered(matmul(dz, in.w, {.transpose_b = true}), in.reversed),
          matmul(rows(x), rows(dz), {.transpose_a = true}),
          matmul(rows(stack(before, 1)), rows(dp), {.transpose_a = true}),
          bias,
          dh,
          dc};
}

}  // namespace xgrad::detail
