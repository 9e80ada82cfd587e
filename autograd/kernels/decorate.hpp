#pragma once
#include <autograd/kernels/table.hpp>
#include <type_traits>
#include <utility>

/// Tables whose entries do something around the entries of another one.
namespace xgrad::kernels {

template <auto field>
using FieldOf = std::remove_reference_t<decltype(std::declval<Table&>().*field)>;

/// How many function pointers a field of the table holds.
template <auto field>
inline constexpr std::size_t entries_of = sizeof(FieldOf<field>) / sizeof(void (*)());

/// Function pointer `index` of a field, counted through its dimensions.
template <auto field, std::size_t index>
struct Entry {
  using Fn = std::remove_all_extents_t<FieldOf<field>>;
  static constexpr int rank = int(std::rank_v<FieldOf<field>>);
  /// The last index, which is a dtype, and the one before it.
  static constexpr int dtype = int(index % dtype_count), kind = int(index / dtype_count);

  template <auto other>
  static constexpr bool is =
      std::is_same_v<std::integral_constant<decltype(field), field>, std::integral_constant<decltype(other), other>>;

  template <class T>  // Table or const Table
  static auto& in(T& table) {
    if constexpr (rank == 0) {
      return table.*field;
    } else if constexpr (rank == 1) {
      return (table.*field)[dtype];
    } else {
      return (table.*field)[kind][dtype];
    }
  }
};

namespace detail {

template <class Policy, class E, class Fn>
struct Decorated;
template <class Policy, class E, class... Args>
struct Decorated<Policy, E, void (*)(Args...)> {
  static void call(Args... args) { Policy::template call<E>(args...); }
};

template <class Policy, auto field, std::size_t... index>
void decorate(Table& table, std::index_sequence<index...>) {
  const auto one = [&]<class E>(E) {
    if (auto& entry = E::in(table)) entry = Decorated<Policy, E, typename E::Fn>::call;
  };
  (one(Entry<field, index>{}), ...);
}

template <class Policy, auto... fields>
void decorate_fields(Table& table) {
  static_assert((sizeof(FieldOf<fields>) + ...) == sizeof(Table) - sizeof(Table::name), "a field is missing below");
  (decorate<Policy, fields>(table, std::make_index_sequence<entries_of<fields>>{}), ...);
}

}  // namespace detail

/// A table each of whose entries E, an `Entry`, calls Policy::call<E>(arguments...). Those that `table` lacks it lacks.
template <class Policy>
Table decorated(Table table) {
  using T = Table;
  detail::decorate_fields<Policy, &T::unary, &T::predicate, &T::cast, &T::binary, &T::compare, &T::bitwise, &T::select,
                          &T::copy, &T::accumulate, &T::reduce, &T::reduce_block, &T::centre, &T::squared_deviations,
                          &T::squared_deviations_block, &T::softmax, &T::add_row, &T::uniform, &T::normal, &T::keep,
                          &T::dropout, &T::sgd, &T::adam, &T::rmsprop, &T::adagrad, &T::gemm, &T::gemm_batch,
                          &T::correlate, &T::tap_sums, &T::correlate_wide, &T::tap_sums_wide, &T::max_windows,
                          &T::standardise, &T::standardise_grad, &T::recurrent, &T::recurrent_backward, &T::attention,
                          &T::attention_backward, &T::take, &T::gather, &T::index_add, &T::scatter_add, &T::argmax,
                          &T::argmin, &T::argsort, &T::cumsum, &T::cumprod, &T::recurrence>(table);
  return table;
}

}  // namespace xgrad::kernels
