#include <autograd/ops/table/recurrent.hpp>
#include <autograd/ops/table/row.hpp>

namespace xgrad::op_table {
namespace {

using Kind = RecurrentKind;

constexpr Real least = -std::numeric_limits<Real>::infinity();

/// x[at...][i, j].
Real element(const Values& x, Index at, std::int64_t i, std::int64_t j) {
  at.push_back(i);
  at.push_back(j);
  return x[at];
}

/// Inputs q, k, v and perhaps a mask: booleans, or numbers to add.
Reference attention(bool causal, double scale, bool adds) {
  return [=](const std::vector<Values>& x) {
    const Values &q = x[0], &k = x[1], &v = x[2];
    Shape shape = q.shape, weights = q.shape;
    shape[-1] = v.shape[-1];
    weights[-1] = k.shape[-2];
    const Real by = scale != 0 ? Real(scale) : 1 / std::sqrt(Real(q.shape[-1]));
    return build(shape, [&](const Index& index) {
      const Index at(index.begin(), index.end() - 2);
      const std::int64_t i = index[index.size() - 2], e = index.back();
      std::vector<Real> scores;
      Real most = least, total = 0, result = 0;
      for (std::int64_t j = 0; j < k.shape[-2]; ++j) {
        Real s = 0;
        for (std::int64_t d = 0; d < q.shape[-1]; ++d) s += element(q, at, i, d) * element(k, at, j, d) * by;
        if (x.size() > 3) {
          Index whole = at;
          whole.push_back(i);
          whole.push_back(j);
          const Real m = broadcast_element(x[3], whole);
          s = adds ? s + m : m != 0 ? s : least;
        }
        scores.push_back(causal && j > i ? least : s);
        most = std::max(most, scores.back());
      }
      for (std::int64_t j = 0; j < k.shape[-2]; ++j) {
        const Real s = scores[static_cast<std::size_t>(j)], p = s == least ? 0 : std::exp(s - most);
        total += p;
        result += p * element(v, at, j, e);
      }
      return total == 0 ? 0 : result / total;
    });
  };
}

Variant attending(const char* label, AttentionOptions options, ShapeTuples shapes, Dtype mask = f64) {
  const std::size_t inputs = shapes.at(0).size();
  std::vector<Domain> domains(3, interval(-1, 1));
  if (inputs > 3) domains.push_back(mask == boolean ? booleans() : interval(-1, 1));
  return {.label = label,
          .f =
              [=](const Tensors& x) {
                AttentionOptions own = options;
                if (x.size() > 3) own.mask = x[3];
                return scaled_dot_product_attention(x[0], x[1], x[2], own);
              },
          .reference = attention(options.causal, options.scale, mask != boolean),
          .domains = std::move(domains),
          .shapes = std::move(shapes),
          .ulps = 16,
          .scale = 1,
          .order = 2};
}

Row attention_row() {
  const auto masked = [](const Tensors& x) {
    return scaled_dot_product_attention(reshape(x[0], {2, 1}), reshape(x[1], {2, 1}), reshape(x[2], {2, 1}),
                                        {.mask = tensor({{1, 0}, {0, 0}}, boolean)});
  };
  return {
      "scaled_dot_product_attention",
      {attending("", {},
                 {{{3, 2}, {4, 2}, {4, 3}},
                  {{2, 1, 2}, {2, 1, 2}, {2, 1, 1}},
                  {{0, 2, 2}, {0, 3, 2}, {0, 3, 2}},
                  {{2, 2}, {3, 2}, {3, 0}},
                  {{1, 1}, {1, 1}, {1, 1}},
                  {{2, 1, 1, 2, 2}, {2, 1, 1, 3, 2}, {2, 1, 1, 3, 2}}}),
       attending("causal", {.causal = true},
                 {{{3, 2}, {3, 2}, {3, 2}}, {{2, 2}, {3, 2}, {3, 1}}, {{2, 3, 2}, {2, 2, 2}, {2, 2, 2}}}),
       attending("mask", {}, {{{3, 2}, {4, 2}, {4, 2}, {3, 4}}, {{2, 2, 2}, {2, 3, 2}, {2, 3, 2}, {2, 1, 3}}}, boolean),
       attending("numbers as a mask", {.scale = .5},
                 {{{2, 2}, {3, 2}, {3, 2}, {2, 3}}, {{2, 2, 2}, {2, 3, 2}, {2, 3, 2}, {3}}})},
      {{.inputs = {{1, 2}, {3, 4}, {5, 6}},
        .value = {5, 0},
        .gradients = {{0, 0}, {0, 0}, {1, 0}},
        .seconds = {{0, 0}, {0, 0}, {0, 0}},
        .f = [masked](const Tensors& x) { return reshape(masked(x), {2}); }}},
      scalars};
}

Row mask_row() {
  const auto reference = [](const std::vector<Values>& x) {
    return build({x[0].shape[0], 5}, [&](const Index& at) { return Real(Real(at[1]) < x[0][{at[0]}]); });
  };
  return {"sequence_mask",
          {{.label = "",
            .f = [](const Tensors& x) { return sequence_mask(x[0], 5).to(i64); },
            .reference = reference,
            .domains = {integers(0, 5)},
            .shapes = {{{3}}, {{1}}, {{0}}, {{6}}, {{2}}, {{9}}},
            .ulps = 0,
            .order = 0}},
          {},
          scalars | rank_five};
}

/// Inputs x, w, u, bias, start, of an LSTM the cell, and perhaps a mask. The result is the states, one behind the
/// other, and of an LSTM the last cell.
Reference recurrent(Kind kind, bool reversed, bool has_mask) {
  return [=](const std::vector<Values>& in) {
    const bool is_lstm = kind == Kind::lstm;
    const RecurrentRun run = recurrent_run(kind, in[0], {in[1], in[2], in[3]}, {in[4], is_lstm ? in[5] : Values()},
                                           has_mask ? &in.back() : nullptr, reversed);
    Values all(Shape{std::ssize(run.states.v) + (is_lstm ? std::ssize(run.c.v) : 0)});
    all.v = run.states.v;
    if (is_lstm) all.v.insert(all.v.end(), run.c.v.begin(), run.c.v.end());
    return all;
  };
}

Tensor flat(const Tensor& t) { return reshape(t, Shape{t.size()}); }

/// For (n, steps, in, hidden), each.
Variant recurring(const char* label, Kind kind, bool reversed, bool has_mask,
                  const std::vector<std::array<std::int64_t, 4>>& sizes) {
  const bool is_lstm = kind == Kind::lstm;
  std::vector<Domain> domains(is_lstm ? 6 : 5, interval(-1, 1));
  if (has_mask) domains.push_back(booleans());
  ShapeTuples shapes;
  for (const auto& [n, steps, in, hidden] : sizes) {
    const std::int64_t all = gates_of(kind) * hidden;
    shapes.push_back({{n, steps, in}, {in, all}, {hidden, all}, {kind == Kind::gru ? 4 * hidden : all}, {n, hidden}});
    if (is_lstm) shapes.back().push_back({n, hidden});
    if (has_mask) shapes.back().push_back({n, steps});
  }
  const auto f = [=](const Tensors& x) {
    const RecurrentWeights weights{x[1], x[2], x[3]};
    const RecurrentOptions options{has_mask ? x.back() : Tensor(), reversed};
    if (kind == Kind::rnn) return flat(rnn(x[0], weights, x[4], options));
    if (kind == Kind::gru) return flat(gru(x[0], weights, x[4], options));
    const LstmState state = lstm(x[0], weights, {x[4], x[5]}, options);
    return concatenate({flat(state.hidden), flat(state.cell)});
  };
  return {.label = label,
          .f = f,
          .reference = recurrent(kind, reversed, has_mask),
          .domains = std::move(domains),
          .shapes = std::move(shapes),
          .ulps = 16,
          .scale = 1,
          .order = 2};
}

Row recurrent_row(const char* name, Kind kind) {
  return {name,
          {recurring("", kind, false, false,
                     {{1, 1, 1, 1}, {2, 3, 2, 2}, {0, 2, 2, 2}, {1, 2, 0, 2}, {2, 1, 1, 3}, {3, 2, 3, 1}}),
           recurring("reversed", kind, true, false, {{2, 3, 2, 2}}),
           recurring("mask", kind, false, true, {{3, 3, 2, 2}, {2, 2, 1, 1}}),
           recurring("mask, reversed", kind, true, true, {{3, 3, 1, 2}})},
          {},
          scalars | rank_five};
}

}  // namespace

std::vector<Row> rows_sequences() {
  return {attention_row(), mask_row(), recurrent_row("rnn", Kind::rnn), recurrent_row("gru", Kind::gru),
          recurrent_row("lstm", Kind::lstm)};
}

}  // namespace xgrad::op_table
