#include <algorithm>
#include <numeric>
#include <optim/optimizers/row_steps.hpp>

namespace xgrad::optim::detail {
namespace {

using kernels::Size;

/// y = the sum of the rows x[picks], held in f64 and in their order, as index_add does it.
template <class T, class Pick>
void sum_rows(const void* values, const Pick* begin, const Pick* end, Size features, void* to) {
  const T* const x = static_cast<const T*>(values);
  T* const y = static_cast<T*>(to);
  constexpr Size together = 64;
  for (Size first = 0; first < features; first += together) {
    const Size n = std::min(together, features - first);
    double sums[together] = {};
    for (const Pick* pick = begin; pick != end; ++pick) {
      const T* const row = x + pick->at * features + first;
      for (Size f = 0; f < n; ++f) sums[f] += static_cast<double>(row[f]);
    }
    for (Size f = 0; f < n; ++f) y[first + f] = static_cast<T>(sums[f]);
  }
}

template <class Byte>
Byte* at(Byte* first, Size bytes) {
  return first ? first + bytes : nullptr;
}

}  // namespace

void RowSteps::sort_picks(const std::int64_t* index, Size count, Size rows) {
  picks_.resize(static_cast<std::size_t>(count));
  if (rows == 0 || rows > 4 * count) {
    for (Size i = 0; i < count; ++i) picks_[static_cast<std::size_t>(i)] = {index[i], i};
    if (!std::is_sorted(picks_.begin(), picks_.end())) std::sort(picks_.begin(), picks_.end());
    return;
  }
  // Where the picks of each row go follows from how many there are of those before it.
  next_.assign(static_cast<std::size_t>(rows) + 1, 0);
  for (Size i = 0; i < count; ++i) ++next_[static_cast<std::size_t>(index[i]) + 1];
  std::partial_sum(next_.begin(), next_.end(), next_.begin());
  for (Size i = 0; i < count; ++i)
    picks_[static_cast<std::size_t>(next_[static_cast<std::size_t>(index[i])]++)] = {index[i], i};
}

void RowSteps::lay_out(xgrad::detail::RowGradient& gradient, const kernels::OptimiserArrays& whole, Dtype dtype,
                       Size features) {
  const Size count = gradient.indices.size(), row_bytes = features * static_cast<Size>(size_of(dtype));
  const auto* const index = gradient.indices.data<std::int64_t>();
  sort_picks(index, count, features > 0 ? whole.n / features : 0);
  const auto same_row = [](const Pick& a, const Pick& b) { return a.row == b.row; };
  if (std::adjacent_find(picks_.begin(), picks_.end(), same_row) != picks_.end())
    sums_.resize(static_cast<std::size_t>(count * features));
  arrays_.clear();
  // Whoever asked for the ordinary tensor may have written to it.
  const Tensor dense = gradient.known_dense();
  const auto* const values = gradient.values.array().data<std::byte>();
  auto* room = reinterpret_cast<std::byte*>(sums_.data());
  for (const Pick *pick = picks_.data(), *const last = pick + count; pick != last;) {
    const Pick* next = pick + 1;
    while (next != last && next->row == pick->row) ++next;
    const Size first = pick->row * row_bytes;
    const std::byte* g = values + pick->at * row_bytes;
    if (dense.defined()) {
      g = dense.array().data<std::byte>() + first;
    } else if (next != pick + 1) {
      (dtype == f32 ? sum_rows<float, Pick> : sum_rows<double, Pick>)(values, pick, next, features, room);
      g = std::exchange(room, room + row_bytes);
    }
    const auto of = [first](void* array) -> void* { return at(static_cast<std::byte*>(array), first); };
    arrays_.push_back({of(whole.p), g, of(whole.m), of(whole.v), of(whole.w), features});
    pick = next;
  }
}

}  // namespace xgrad::optim::detail
