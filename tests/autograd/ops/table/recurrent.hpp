#pragma once
#include <autograd/ops/table/values.hpp>

/// A recurrent layer by the formulas of autograd/sequences.hpp, number by number.
namespace xgrad::op_table {

enum class RecurrentKind { rnn, gru, lstm };
constexpr std::int64_t gates_of(RecurrentKind kind) {
  return kind == RecurrentKind::rnn ? 1 : kind == RecurrentKind::gru ? 3 : 4;
}

struct RecurrentParameters {
  Values w, u, bias;
};
struct RecurrentStart {
  Values h, c;  // (n, hidden); c of an LSTM only
};
struct RecurrentRun {
  Values states, h, c;  // after each step; after the last one that is taken
};

/// From the state `start`. Where the mask (n, steps) is zero a state stays what it was; null: there is none.
RecurrentRun recurrent_run(RecurrentKind kind, const Values& x, const RecurrentParameters& p,
                           const RecurrentStart& start, const Values* mask = nullptr, bool reversed = false);

}  // namespace xgrad::op_table
