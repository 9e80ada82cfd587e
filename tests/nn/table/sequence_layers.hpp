#pragma once
#include <autograd/ops/table/recurrent.hpp>

#include "nn/table/layers.hpp"

/// The rows of layers on sequences.
namespace xgrad::nn_table {

using op_table::RecurrentKind, op_table::RecurrentRun, op_table::RecurrentStart;

template <class L>
using Call = Tensor (*)(L&, const Tensors&);

/// A layer of any inputs.
template <class L>
LayerCase sequence_case(std::string label, const L& l, Call<L> call, Reference reference,
                        std::vector<std::vector<Shape>> shapes, std::vector<Domain> domains) {
  return {.label = std::move(label),
          .like = copy_of<L>(l),
          .copy = copy_of<L>,
          .call = [call](nn::Module& m, const Tensors& x) { return call(static_cast<L&>(m), x); },
          .reference = std::move(reference),
          .shapes = std::move(shapes),
          .domains = std::move(domains)};
}

/// Layers of a kind, of which there are so many in each of so many directions; inputs are x and perhaps a mask. Without
/// `last` the outputs, with it the last state of the last cell.
inline Reference recurrent_layers(RecurrentKind kind, std::size_t layers, std::size_t directions, bool has_mask,
                                  bool last = false) {
  return [=](const std::vector<Values>& in) {
    const std::size_t first = has_mask ? 2 : 1;
    const auto cell = [&](std::size_t k) {
      return op_table::RecurrentParameters{in.at(first + 3 * k), in.at(first + 3 * k + 1), in.at(first + 3 * k + 2)};
    };
    Values y = in[0];
    RecurrentRun run;
    const std::int64_t n = y.shape[0], steps = y.shape[1], hidden = cell(0).u.shape[0];
    for (std::size_t k = 0; k < layers; ++k) {
      Values next(Shape{n, steps, static_cast<std::int64_t>(directions) * hidden});
      for (std::size_t d = 0; d < directions; ++d) {
        const Values zeros(Shape{n, hidden});
        run = recurrent_run(kind, y, cell(d * layers + k), {zeros, zeros}, has_mask ? &in[1] : nullptr, d == 1);
        op_table::each_index(run.states.shape, [&](const Index& at) {
          const bool counts = !has_mask || in[1][{at[0], at[1]}] != 0;
          next[{at[0], at[1], static_cast<std::int64_t>(d) * hidden + at[2]}] = counts ? run.states[at] : 0;
        });
      }
      y = next;
    }
    return !last ? y : kind == RecurrentKind::lstm ? run.c : run.h;
  };
}

/// softmax(q k^T / sqrt(d)) v of each head, between dense layers; inputs are x or q, k, v.
inline Reference attention_layer(std::int64_t heads, bool causal) {
  return [=](const std::vector<Values>& in) {
    const std::size_t inputs = in.size() - 8;
    const auto dense = [&](const Values& x, std::size_t k) {
      const Values &w = in[inputs + 2 * k], &b = in[inputs + 2 * k + 1];
      return build(x.shape, [&](const Index& at) {
        Real total = b[{at[2]}];
        for (std::int64_t f = 0; f < w.shape[0]; ++f) total += x[{at[0], at[1], f}] * w[{f, at[2]}];
        return total;
      });
    };
    const Values q = dense(in[0], 0), k = dense(inputs > 1 ? in[1] : in[0], 1),
                 v = dense(inputs > 1 ? in[2] : in[0], 2);
    const std::int64_t width = q.shape[2] / heads;
    const Values joined = build(q.shape, [&](const Index& at) {
      const std::int64_t first = at[2] / width * width;
      Real total = 0, result = 0;
      for (std::int64_t j = 0; j < (causal ? at[1] + 1 : k.shape[1]); ++j) {
        Real score = 0;
        for (std::int64_t f = first; f < first + width; ++f) score += q[{at[0], at[1], f}] * k[{at[0], j, f}];
        const Real p = std::exp(score / std::sqrt(Real(width)));
        total += p;
        result += p * v[{at[0], j, at[2]}];
      }
      return result / total;
    });
    return dense(joined, 3);
  };
}

/// Rows of a weight, in bags of indices (n, k) or that begin at offsets.
inline Reference bags(bool mean, std::int64_t padding, bool has_offsets) {
  return [=](const std::vector<Values>& in) {
    const Values& w = in.back();
    const std::int64_t n = has_offsets ? in[1].shape[0] : in[0].shape[0], all = in[0].shape.size();
    return build({n, w.shape[1]}, [&](const Index& at) {
      const std::int64_t k = has_offsets ? 0 : in[0].shape[1];
      const std::int64_t from = has_offsets ? static_cast<std::int64_t>(in[1][{at[0]}]) : at[0] * k;
      const std::int64_t to = !has_offsets    ? from + k
                              : at[0] + 1 < n ? static_cast<std::int64_t>(in[1][{at[0] + 1}])
                                              : all;
      Real total = 0, count = 0;
      for (std::int64_t i = from; i < to; ++i) {
        const auto row = static_cast<std::int64_t>(in[0].v[static_cast<std::size_t>(i)]);
        if (row == padding) continue;
        total += w[{row, at[1]}];
        ++count;
      }
      return mean && count > 0 ? total / count : total;
    });
  };
}

template <class L, class Cell>
LayerRow recurrent_row(const char* name, RecurrentKind kind, std::vector<Bad> bad) {
  const Call<L> output = [](L&m, const Tensors&x) { return m(x[0]).output; },
                masked = [](L&m, const Tensors&x) { return m(x[0], {.mask = x[1]}).output; },
                last = [](L&m, const Tensors&x) {
                  const auto state = m(x[0]).state;
                  if constexpr (std::is_same_v<Cell, nn::LSTMCell>)
                    return select(state.cell, 0, -1);
                  else
                    return select(state, 0, -1);
                };
  const std::vector<std::vector<Shape>> plain{{{2, 3, 2}}, {{1, 1, 2}}, {{0, 2, 2}}},
      with_mask{{{3, 3, 2}, {3, 3}}, {{1, 2, 2}, {1, 2}}, {{0, 2, 2}, {0, 2}}};
  const Domain numbers = interval(-1, 1);
  return {name,
          {sequence_case<L>("", L{2, 2}, output, recurrent_layers(kind, 1, 1, false), plain, {numbers}),
           sequence_case<L>("two layers, both directions, mask", L{2, 1, {.layers = 2, .bidirectional = true}}, masked,
                            recurrent_layers(kind, 2, 2, true), with_mask, {numbers, op_table::booleans()}),
           sequence_case<L>("last state", L{2, 1, {.layers = 2}}, last, recurrent_layers(kind, 2, 1, false, true),
                            {{{2, 2, 2}}, {{1, 1, 2}}, {{0, 2, 2}}}, {interval(-1, 0)})},
          std::move(bad)};
}

template <class Cell>
LayerRow cell_row(const char* name, RecurrentKind kind, std::vector<Bad> bad) {
  const Reference reference = [kind](const std::vector<Values>& in) {
    Values x = in[0];
    x.shape = Shape{x.shape[0], 1, x.shape[1]};
    return op_table::recurrent_run(kind, x, {in[2], in[3], in[4]}, {in[1], in[1]}).h;
  };
  const Call<Cell> call = [](Cell& m, const Tensors& x) {
    if constexpr (std::is_same_v<Cell, nn::LSTMCell>)
      return m(x[0], {x[1], x[1]}).hidden;
    else
      return m(x[0], x[1]);
  };
  return {name,
          {sequence_case<Cell>("", Cell{3, 2}, call, reference, {{{2, 3}, {2, 2}}, {{1, 3}, {1, 2}}, {{0, 3}, {0, 2}}},
                               {interval(-1, 1), interval(-1, 1)})},
          std::move(bad)};
}

inline LayerRow attention_row() {
  using L = nn::MultiheadAttention;
  const Call<L> self = [](L&m, const Tensors&x) { return m(x[0]); },
                causal = [](L&m, const Tensors&x) { return m(x[0], {.causal = true}); },
                masked =
                    [](L&m, const Tensors&x) {
                      return m(x[0], {.mask = ones({x[0].shape()[0], 1, 1, x[0].shape()[1]}, boolean)});
                    },
                cross = [](L&m, const Tensors&x) { return m(x[0], x[1], x[2]); };
  const Domain numbers = interval(-1, 1);
  LayerCase dropped = sequence_case<L>("dropout", L{4, 2, {.dropout = .5}}, self, attention_layer(2, false),
                                       {{{2, 3, 4}}, {{1, 1, 4}}, {{0, 2, 4}}}, {numbers});
  dropped.draws = true;
  return {
      "MultiheadAttention",
      {sequence_case<L>("", L{2, 2}, self, attention_layer(2, false), {{{2, 3, 2}}, {{1, 1, 2}}, {{0, 2, 2}}},
                        {numbers}),
       sequence_case<L>("one head, mask", L{2, 1}, masked, attention_layer(1, false),
                        {{{2, 3, 2}}, {{1, 1, 2}}, {{0, 2, 2}}}, {numbers}),
       sequence_case<L>("causal", L{3, 1}, causal, attention_layer(1, true), {{{2, 3, 3}}, {{1, 2, 3}}, {{0, 2, 3}}},
                        {numbers}),
       sequence_case<L>(
           "of another sequence", L{2, 2}, cross, attention_layer(2, false),
           {{{2, 2, 2}, {2, 3, 2}, {2, 3, 2}}, {{1, 3, 2}, {1, 1, 2}, {1, 1, 2}}, {{0, 2, 2}, {0, 3, 2}, {0, 3, 2}}},
           {numbers, numbers, numbers}),
       dropped},
      {BAD(ValueError, (nn::MultiheadAttention{5, 2}),
           "MultiheadAttention: there are 5 features and 2 heads; both must be at least 1, and the heads divide the "
           "features"),
       BAD(ValueError, (nn::MultiheadAttention{4, 2, {.dropout = 1}}),
           "MultiheadAttention: the dropout is 1; it must be at least 0 and below 1"),
       BAD(ShapeError, (nn::MultiheadAttention{4, 2}(zeros({3, 4}))),
           "in MultiheadAttention 4, 2 heads: attention: an input is (3, 4); expected (n, steps, 4)"),
       BAD(ShapeError, (nn::MultiheadAttention{4, 2}(zeros({2, 3, 5}))),
           "in query (Dense 4 -> 4): attention: inner dimensions differ: x is (2, 3, 5), w is (4, 4), b is (4,); x "
           "needs 4 features"),
       BAD(ShapeError, (nn::MultiheadAttention{4, 2}(zeros({2, 3, 4}), {.mask = zeros({2, 3}, boolean)})),
           "in MultiheadAttention 4, 2 heads: attention: the mask is (2, 3) and does not broadcast to the weights, "
           "(2, 2, 3, 3)"),
       BAD(ValueError, (nn::MultiheadAttention{4, 2}(1.)),
           "in MultiheadAttention 4, 2 heads: attention: an argument is a plain number; make it a tensor with "
           "tensor(...)")}};
}

inline LayerRow bag_row() {
  using L = nn::EmbeddingBag;
  const Call<L> rows = [](L&m, const Tensors&x) { return m(x[0]); },
                parts = [](L&m, const Tensors&x) { return m(x[0], x[1]); };
  const Domain indices = op_table::integers(0, 3), offsets = op_table::fixed({0, 1, 1}, i64);
  const std::vector<std::vector<Shape>> bags_of_three{{{2, 3}}, {{1, 3}}, {{0, 3}}};
  return {"EmbeddingBag",
          {sequence_case<L>("", L{4, 2}, rows, bags(true, -1, false), bags_of_three, {indices}),
           sequence_case<L>("sum, padding", L{4, 2, {.mode = nn::BagMode::sum, .padding = 1}}, rows,
                            bags(false, 1, false), bags_of_three, {indices}),
           sequence_case<L>("padding", L{4, 2, {.padding = 0}}, rows, bags(true, 0, false), bags_of_three, {indices}),
           sequence_case<L>("offsets", L{4, 2}, parts, bags(true, -1, true), {{{5}, {3}}, {{1}, {1}}, {{0}, {0}}},
                            {indices, offsets}),
           sequence_case<L>("offsets, padding", L{4, 2, {.padding = 2}}, parts, bags(true, 2, true),
                            {{{5}, {3}}, {{1}, {1}}, {{0}, {0}}}, {indices, offsets})},
          {BAD(ValueError, (nn::EmbeddingBag{-1, 2}),
               "EmbeddingBag: negative size: -1 rows of 2 features; both must be at least 0"),
           BAD(ValueError, (nn::EmbeddingBag{4, 2, {.padding = 4}}),
               "EmbeddingBag: the padding is 4, and there are 4 rows; give -1 for none"),
           BAD(DtypeError, (nn::EmbeddingBag{4, 2}(zeros({2, 3}))),
               "in EmbeddingBag 4 -> 2, mean: embedding_bag: the indices are f32, not i64; convert them with .to(i64)"),
           BAD(ShapeError, (nn::EmbeddingBag{4, 2}(zeros({3}, i64))),
               "in EmbeddingBag 4 -> 2, mean: embedding_bag: the indices are (3,); expected (n, k)"),
           BAD(ValueError, (nn::EmbeddingBag{4, 2}(tensor({{4}}, i64))),
               "in EmbeddingBag 4 -> 2, mean: embedding_bag: index 4 at position (0, 0) is out of range for axis 0 of "
               "size 4"),
           BAD(ValueError, (nn::EmbeddingBag{4, 2}(tensor({1, 2}, i64), tensor({0, 3}, i64))),
               "in EmbeddingBag 4 -> 2, mean: embedding_bag: offset 1 is 3 of 2 indices; offsets ascend from 0"),
           BAD(ShapeError, (nn::EmbeddingBag{4, 2}(tensor({1, 2}, i64), zeros({0}, i64))),
               "in EmbeddingBag 4 -> 2, mean: embedding_bag: there are 2 indices and no offsets; the first bag begins "
               "at 0")}};
}

inline std::vector<LayerRow> sequence_rows() {
  const std::string number = "the argument is a plain number; make it a tensor with tensor(...)";
  return {
      recurrent_row<nn::RNN, nn::RNNCell>(
          "RNN", RecurrentKind::rnn,
          {BAD(ShapeError, (nn::RNN{3, 4}(zeros({2, 5, 7}))),
               "in RNN 3 -> 4: rnn: x is (2, 5, 7), and its steps need 3 features, not 7"),
           BAD(ShapeError, (nn::RNN{3, 4}(zeros({2, 5, 3}), {.state = zeros({2, 4})})),
               "in RNN 3 -> 4: rnn: the state is (2, 4), expected (1, 2, 4), (layers and directions, n, hidden)"),
           BAD(ShapeError, (nn::RNN{3, 4}(zeros({2, 0, 3}))),
               "in RNN 3 -> 4: rnn: x is (2, 0, 3), a sequence of no steps; it needs at least one"),
           BAD(ShapeError, (nn::RNN{3, 4}(zeros({2, 3}))), "in RNN 3 -> 4: rnn: x is (2, 3); expected (n, steps, 3)"),
           BAD(ValueError, (nn::RNN{-3, 4}),
               "RNN: negative size: -3 inputs and 4 hidden units; both must be at least 0"),
           BAD(ValueError, (nn::RNN{3, 4, {.layers = 0}}), "RNN: there are 0 layers; expected at least 1"),
           BAD(ValueError, (nn::RNN{3, 4, {.dropout = 2}}), "RNN: the dropout is 2; it must be between 0 and 1"),
           BAD(ValueError, (nn::RNN{3, 4}(1.)), "in RNN 3 -> 4: rnn: " + number)}),
      recurrent_row<nn::GRU, nn::GRUCell>(
          "GRU", RecurrentKind::gru,
          {BAD(ShapeError, (nn::GRU{3, 4, {.layers = 2}}(zeros({2, 5, 3}), {.lengths = tensor({5}, i64)})),
               "in GRU 3 -> 4, 2 layers: gru: the lengths are (1,), expected (2,), one for each sequence"),
           BAD(ValueError, (nn::GRU{3, 4}(zeros({2, 5, 3}), {.lengths = tensor({5, 6}, i64)})),
               "in GRU 3 -> 4: gru: length 1 is 6; expected one of 0 to 5"),
           BAD(ShapeError, (nn::GRU{3, 4}(zeros({2, 5, 3}), {.mask = ones({2, 4}, boolean)})),
               "in GRU 3 -> 4: gru: the mask is (2, 4), expected (2, 5), one for each step"),
           BAD(DtypeError, (nn::GRU{3, 4}(zeros({2, 5, 3}), {.mask = ones({2, 5})})),
               "in GRU 3 -> 4: gru: the mask is f32, not boolean; compare it, as in mask != 0"),
           BAD(DtypeError, (nn::GRU{3, 4}(zeros({2, 5, 3}), {.lengths = ones({2})})),
               "in GRU 3 -> 4: gru: the lengths are f32, not i64; convert them with .to(i64)"),
           BAD(ValueError,
               (nn::GRU{3, 4}(zeros({2, 5, 3}), {.lengths = tensor({5, 5}, i64), .mask = ones({2, 5}, boolean)})),
               "in GRU 3 -> 4: gru: there are lengths and a mask; give one of them")}),
      recurrent_row<nn::LSTM, nn::LSTMCell>(
          "LSTM", RecurrentKind::lstm,
          {BAD(ShapeError,
               (nn::LSTM{3, 4, {.bidirectional = true}}(zeros({2, 5, 3}),
                                                        {.state = {zeros({2, 2, 4}), zeros({1, 2, 4})}})),
               "in LSTM 3 -> 8, both directions: lstm: the cell state is (1, 2, 4), expected (2, 2, 4), (layers and "
               "directions, n, hidden)"),
           BAD(DtypeError, (nn::LSTM{3, 4}(zeros({2, 5, 3}, f64))),
               "in LSTM 3 -> 4: lstm: x is f64, a weight or the state is f32; convert one with .to(...)")}),
      cell_row<nn::RNNCell>(
          "RNNCell", RecurrentKind::rnn,
          {BAD(ShapeError, (nn::RNNCell{3, 4}(zeros({2, 5}))),
               "in RNNCell 3 -> 4: rnn: x is (2, 5); expected (n, 3), the step of each sequence"),
           BAD(ShapeError, (nn::RNNCell{3, 4}(zeros({3}))),
               "in RNNCell 3 -> 4: rnn: x is (3,); expected (n, 3), the step of each sequence"),
           BAD(ShapeError, (nn::RNNCell{3, 4}(zeros({2, 3}), zeros({2, 5}))),
               "in RNNCell 3 -> 4: rnn: the state is (2, 5), expected (2, 4), a row of hidden units for "
               "each sequence"),
           BAD(ValueError, (nn::RNNCell{3, 4}(1.)), "in RNNCell 3 -> 4: rnn: " + number)}),
      cell_row<nn::GRUCell>("GRUCell", RecurrentKind::gru,
                            {BAD(ShapeError, (nn::GRUCell{3, 4}(zeros({2, 5}))),
                                 "in GRUCell 3 -> 4: gru: x is (2, 5); expected (n, 3), the step of each sequence"),
                             BAD(ValueError, (nn::GRUCell{3, -1}),
                                 "GRUCell: negative size: 3 inputs and -1 hidden units; both must be at least 0")}),
      cell_row<nn::LSTMCell>(
          "LSTMCell", RecurrentKind::lstm,
          {BAD(ShapeError, (nn::LSTMCell{3, 4}(zeros({2, 1, 5}))),
               "in LSTMCell 3 -> 4: lstm: x is (2, 1, 5); expected (n, 3), the step of each sequence"),
           BAD(ShapeError, (nn::LSTMCell{3, 4}(zeros({2, 5}))),
               "in LSTMCell 3 -> 4: lstm: x is (2, 5); expected (n, 3), the step of each sequence"),
           BAD(ShapeError, (nn::LSTMCell{3, 4}(zeros({2, 3}), {zeros({2, 4}), zeros({1, 4})})),
               "in LSTMCell 3 -> 4: lstm: the cell state is (1, 4), expected (2, 4), a row of hidden "
               "units for each sequence")}),
      attention_row(),
      bag_row()};
}

}  // namespace xgrad::nn_table
