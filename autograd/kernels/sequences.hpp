#pragma once
#include <autograd/kernels/loop.hpp>

#pragma GCC visibility push(default)

/// Kernels of whole sequences: recurrent layers, step by step, and attention, block by block. autograd/sequences.hpp
/// states the formulas.
namespace xgrad::kernels {

enum class Recurrent { rnn, lstm, gru, count };
/// How many columns for each hidden unit the products of a step have.
constexpr Size gates_of(Recurrent kind) { return kind == Recurrent::rnn ? 1 : kind == Recurrent::lstm ? 4 : 3; }

/// Some rows of a recurrent layer. Arrays are (steps, rows, columns), the first step first; a kernel is handed where
/// its rows begin in each, and `distance` rows lie from one step to the next.
struct Recurrence {
  Size steps, rows, hidden, distance;
};

/// The steps of a layer of one kind.
///
///   u         (hidden, gates)
///   bias      (gates), and of a GRU (4 hidden): behind those of the gates that of the new gate's recurrent product
///   mask      (steps, rows): where it is false the state stays; null: it is true everywhere
///   gates     (steps, rows, gates): the products of the inputs, which become the gates' values
///   products  (steps, rows, gates): of a GRU only, its recurrent products; otherwise null
///   h, c      (steps + 1, rows, hidden): the states before the first step and after each one; c of an LSTM only
using RecurrentFn = void (*)(const Recurrence& s, const void* u, const void* bias, const bool* mask, void* gates,
                             void* products, void* h, void* c);
/// The steps back, from what the others left.
///
///   u       transposed: (gates, hidden)
///   g       (steps, rows, hidden): the cotangents of the states after each step; null: zeros
///   dgates  (steps, rows, gates): the cotangents of the inputs' products; those of the recurrent ones are the same,
///   but
///           of a GRU are `dproducts`
///   dh, dc  (rows, hidden): the cotangents of the last state, which become those of the first
using RecurrentBackwardFn = void (*)(const Recurrence& s, const void* u, const void* g, const bool* mask,
                                     const void* gates, const void* products, const void* h, const void* c,
                                     void* dgates, void* dproducts, void* dh, void* dc);

/// Attention of `outer` pairs of matrices: queries (queries, width), keys (keys, width) and values (keys, value_width).
/// Where `heads` is above 1, the matrices of so many heads lie side by side in wider rows: (batch, queries, heads,
/// width). Scores are scale q.k plus the mask, whose rows and columns lie so far apart; its place for each pair is told
/// by a loop over the pairs.
struct Attention {
  Size outer, heads, queries, keys, width, value_width;
  double scale;
  bool causal;
  double keep;  // the probability of a weight to be kept; 1: no dropout
  Size mask_row, mask_column;

  /// Rows that are handled together.
  static constexpr Size block = 64;
  Size blocks() const { return (queries + block - 1) / block; }
  /// Where the matrix of a pair begins, of `rows` rows of `columns`.
  Size offset(Size pair, Size rows, Size columns) const {
    return (pair / heads * rows * heads + pair % heads) * columns;
  }
  /// The number of the first of the random numbers for a row of weights.
  Size random_row(Size pair, Size query) const { return (pair * queries + query) * ((keys + 63) / 64 * 64); }
};

/// Blocks [first, first + count) of queries of all pairs: y, and of_rows (2, outer, queries), the largest score of each
/// row and 1 over the sum of exponentials less it; all are 0 for a row without any key. `mask` is null or of the
/// elements' type.
using AttentionFn = void (*)(const Attention& s, const Loop<1>& pairs, const void* q, const void* k, const void* v,
                             const void* mask, std::uint64_t seed, std::uint64_t stream, void* y, void* of_rows,
                             Size first, Size count);
/// Pairs [first, first + count): the cotangents of q, k and v.
using AttentionBackwardFn = void (*)(const Attention& s, const Loop<1>& pairs, const void* q, const void* k,
                                     const void* v, const void* mask, const void* y, const void* of_rows, const void* g,
                                     std::uint64_t seed, std::uint64_t stream, void* dq, void* dk, void* dv, Size first,
                                     Size count);

}  // namespace xgrad::kernels
#pragma GCC visibility pop
