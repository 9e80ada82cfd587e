#include <doctest/doctest.h>
#include <algorithm>
#include <memory>

#include "parallel_support.hpp"

// The kernels of recurrent layers and of attention: the same numbers on every instruction set and for any number of
// threads.
using namespace reference;
using namespace xgrad::kernels;

namespace {

constexpr Recurrent kinds[] = {Recurrent::rnn, Recurrent::lstm, Recurrent::gru};

/// |a - b| for the largest, relative to 1.
template <class A, class B>
double distance(const std::vector<A>& a, const std::vector<B>& b) {
  double most = 0;
  for (std::size_t i = 0; i < a.size(); ++i) most = std::max(most, std::fabs(double(a[i]) - double(b[i])));
  return most;
}

/// A layer's way there and back, and all that is written on it.
template <class T>
std::vector<T> layer(const Table& table, Recurrent kind, const Recurrence& s) {
  const Size gates = gates_of(kind) * s.hidden, all = s.steps * s.rows;
  const int d = int(xgrad::dtype_of<T>);
  const auto numbers = [](Size n, unsigned seed) {
    std::vector<T> x = values<T>(n, seed);
    for (T& v : x) v = T(float(v) / 4);
    return x;
  };
  std::vector<T> u = numbers(s.hidden * gates, 1), ut(u.size()), bias = numbers(gates + s.hidden, 2);
  std::vector<T> z = numbers(all * gates, 3), products(at(all * gates)),
                 h = numbers(all * s.hidden + s.rows * s.hidden, 4);
  std::vector<T> c = numbers(all * s.hidden + s.rows * s.hidden, 5), g = numbers(all * s.hidden, 6);
  for (Size i = 0; i < s.hidden; ++i)
    for (Size j = 0; j < gates; ++j) ut[at(j * s.hidden + i)] = u[at(i * gates + j)];
  const std::unique_ptr<bool[]> mask(new bool[at(all)]);
  for (Size i = 0; i < all; ++i) mask[at(i)] = i % 7 != 3;
  const bool is_gru = kind == Recurrent::gru, is_lstm = kind == Recurrent::lstm;
  table.recurrent[int(kind)][d](s, u.data(), bias.data(), mask.get(), z.data(), is_gru ? products.data() : nullptr,
                                h.data(), is_lstm ? c.data() : nullptr);
  std::vector<T> dz(z.size()), dp(z.size()), dh(at(s.rows * s.hidden)), dc = dh;
  table.recurrent_backward[int(kind)][d](
      s, ut.data(), g.data(), mask.get(), z.data(), is_gru ? products.data() : nullptr, h.data(),
      is_lstm ? c.data() : nullptr, dz.data(), is_gru ? dp.data() : nullptr, dh.data(), is_lstm ? dc.data() : nullptr);
  std::vector<T> result = h;
  for (const auto* more : {&c, &dz, &dp, &dh, &dc}) result.insert(result.end(), more->begin(), more->end());
  return result;
}

/// Likewise of attention.
template <class T>
std::vector<T> attention(const Table& table, const Attention& s) {
  const int d = int(xgrad::dtype_of<T>);
  const auto numbers = [](Size n, unsigned seed) {
    std::vector<T> x = values<T>(n, seed);
    for (T& v : x) v = T(float(v) / 2);
    return x;
  };
  const auto q = numbers(s.outer * s.queries * s.width, 1), k = numbers(s.outer * s.keys * s.width, 2);
  const auto v = numbers(s.outer * s.keys * s.value_width, 3), g = numbers(s.outer * s.queries * s.value_width, 4);
  const auto mask = numbers(s.queries * s.keys, 5);
  Loop<1> pairs;
  pairs.rank = 1, pairs.sizes[0] = s.outer, pairs.strides[0][0] = 0;
  std::vector<T> y(g.size()), of_rows(at(2 * s.outer * s.queries)), dq(q.size()), dk(k.size()), dv(v.size());
  table.attention[d](s, pairs, q.data(), k.data(), v.data(), mask.data(), 7, 8, y.data(), of_rows.data(), 0,
                     s.outer * s.blocks());
  table.attention_backward[d](s, pairs, q.data(), k.data(), v.data(), mask.data(), y.data(), of_rows.data(), g.data(),
                              7, 8, dq.data(), dk.data(), dv.data(), 0, s.outer);
  for (const auto* more : {&of_rows, &dq, &dk, &dv}) y.insert(y.end(), more->begin(), more->end());
  return y;
}

constexpr Recurrence small{.steps = 4, .rows = 5, .hidden = 19, .distance = 5};
constexpr Recurrence large{.steps = 3, .rows = 130, .hidden = 70, .distance = 130};
Attention attending(Size outer, double keep) {
  return {.outer = outer,
          .heads = 1,
          .queries = 70,
          .keys = 131,
          .width = 9,
          .value_width = 5,
          .scale = .5,
          .causal = false,
          .keep = keep,
          .mask_row = 131,
          .mask_column = 1};
}

}  // namespace

TEST_CASE("every instruction set takes the steps of a recurrent layer alike") {
  const Tables tables = available_tables();
  for (const Recurrent kind : kinds) {
    const std::vector<double> want = layer<double>(*tables.entries[0], kind, small);
    for (int i = 0; i < tables.count; ++i) {
      CAPTURE(tables.entries[i]->name);
      CHECK(distance(layer<double>(*tables.entries[i], kind, small), want) < 1e-14);
      CHECK(distance(layer<float>(*tables.entries[i], kind, small), want) < 4e-6);
    }
  }
}

TEST_CASE("every instruction set attends alike") {
  const Tables tables = available_tables();
  for (const double keep : {1., .6}) {
    const std::vector<double> want = attention<double>(*tables.entries[0], attending(2, keep));
    for (int i = 0; i < tables.count; ++i) {
      CAPTURE(tables.entries[i]->name);
      CHECK(distance(attention<double>(*tables.entries[i], attending(2, keep)), want) < 1e-13);
      CHECK(distance(attention<float>(*tables.entries[i], attending(2, keep)), want) < 4e-5);
    }
  }
}

TEST_CASE_TEMPLATE("recurrent layers and attention give the same bits for any number of threads", T, float, double) {
  const Threads restore;
  for (const Recurrent kind : kinds) {
    set_threads(1);
    const std::vector<T> one = layer<T>(process_table(), kind, large);
    for (const int n : {2, 7}) {
      set_threads(n);
      CHECK(layer<T>(process_table(), kind, large) == one);
    }
  }
  set_threads(1);
  const std::vector<T> one = attention<T>(process_table(), attending(12, .9));
  for (const int n : {2, 7}) {
    set_threads(n);
    CHECK(attention<T>(process_table(), attending(12, .9)) == one);
  }
}
