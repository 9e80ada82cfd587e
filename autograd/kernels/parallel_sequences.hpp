#pragma once
#include <autograd/kernels/parallel_common.hpp>

/// How the kernels of whole sequences are cut into pieces.
namespace xgrad::kernels {

struct ParallelSequences {
  /// Calls body(part, first) for the pieces of a layer's rows: enough to a piece that its products are no slower.
  template <class Body>
  static void split_rows(Recurrent kind, int dtype, const Recurrence& s, const Body& body) {
    constexpr Size enough = 32;
    const Size gates = gates_of(kind) * s.hidden;
    const Size pieces = std::min(s.rows / enough, s.steps * s.rows * gates * s.hidden / multiplications(dtype));
    if (pieces < 2) return body(s, 0);
    const Size size = round_up(divide_up(s.rows, pieces), 4);
    run_pieces(divide_up(s.rows, size), [&](Size i) {
      Recurrence part = s;
      part.rows = std::min(size, s.rows - i * size);
      body(part, i * size);
    });
  }

  static void call(const KernelOf<&Table::recurrent>& k, const Recurrence& s, const void* u, const void* bias,
                   const bool* mask, void* gates, void* products, void* h, void* c) {
    const Size state = s.hidden * size_of(k.dtype), all = gates_of(Recurrent(k.kind)) * state;
    split_rows(Recurrent(k.kind), k.dtype, s, [&](const Recurrence& part, Size row) {
      k.run(part, u, bias, mask ? mask + row : nullptr, at(gates, row * all), at(products, row * all),
            at(h, row * state), at(c, row * state));
    });
  }

  static void call(const KernelOf<&Table::recurrent_backward>& k, const Recurrence& s, const void* u, const void* g,
                   const bool* mask, const void* gates, const void* products, const void* h, const void* c,
                   void* dgates, void* dproducts, void* dh, void* dc) {
    const Size state = s.hidden * size_of(k.dtype), all = gates_of(Recurrent(k.kind)) * state;
    split_rows(Recurrent(k.kind), k.dtype, s, [&](const Recurrence& part, Size row) {
      k.run(part, u, at(g, row * state), mask ? mask + row : nullptr, at(gates, row * all), at(products, row * all),
            at(h, row * state), at(c, row * state), at(dgates, row * all), at(dproducts, row * all),
            at(dh, row * state), at(dc, row * state));
    });
  }

  static void call(const KernelOf<&Table::attention>& kernel, const Attention& s, const Loop<1>& pairs, const void* q,
                   const void* k, const void* v, const void* mask, std::uint64_t seed, std::uint64_t stream, void* y,
                   void* of_rows, Size first, Size count) {
    const Size work = Attention::block * s.keys * (s.width + s.value_width + 16);
    split(count, work * grain / multiplications(kernel.dtype), 1,
          [&](Size i, Size n) { kernel.run(s, pairs, q, k, v, mask, seed, stream, y, of_rows, first + i, n); });
  }

  static void call(const KernelOf<&Table::attention_backward>& kernel, const Attention& s, const Loop<1>& pairs,
                   const void* q, const void* k, const void* v, const void* mask, const void* y, const void* of_rows,
                   const void* g, std::uint64_t seed, std::uint64_t stream, void* dq, void* dk, void* dv, Size first,
                   Size count) {
    const Size work = s.queries * s.keys * (3 * s.width + 2 * s.value_width + 16);
    split(count, work * grain / multiplications(kernel.dtype), 1, [&](Size i, Size n) {
      kernel.run(s, pairs, q, k, v, mask, y, of_rows, g, seed, stream, dq, dk, dv, first + i, n);
    });
  }
};

}  // namespace xgrad::kernels
