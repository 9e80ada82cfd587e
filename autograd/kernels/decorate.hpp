#pragma once
#include <autograd/kernels/table.hpp>
#include <type_traits>
#include <utility>

/// Tables whose entries do something around the entries of another one.
namespace xgrad::kernels {

template <auto field>
using FieldOf = std::remove_reference_t<decltype(std::declval<Table&>().*field)>;

/// The type of a field's function pointers, and how many it holds.
template <auto field>
using FnOf = std::remove_all_extents_t<FieldOf<field>>;
template <auto field>
inline constexpr std::size_t entries_of = sizeof(FieldOf<field>) / sizeof(FnOf<field>);

namespace detail {
template <auto field>
inline constexpr char mark = 0;  // its address stands for the field
}

/// A kernel, and which entry of its table it is, by its last two indices and by its field. What a policy does it does
/// by these, and so is compiled once for all kernels with the same parameters, not for each of hundreds of entries.
template <class Fn>
struct Kernel {
  Fn run;
  int kind, dtype;
  const void* mark;

  template <auto field>
  bool is() const {
    return mark == &detail::mark<field>;
  }
};

/// A kernel with the parameters of those in a field.
template <auto field>
using KernelOf = Kernel<FnOf<field>>;

namespace detail {

template <template <class...> class Policy, auto field, class Fn>
struct Decorated;
template <template <class...> class Policy, auto field, class... Args>
struct Decorated<Policy, field, void (*)(Args...)> {
  using Fn = void (*)(Args...);
  static inline constinit Kernel<Fn> kernels[entries_of<field>] = {};

  // The kernel comes last: arguments stay in the registers in which they arrive.
  template <std::size_t index>
  static void call(Args... args) {
    Policy<Args...>::call(args..., kernels[index]);
  }

  template <std::size_t... index>
  static void decorate(Table& table, std::index_sequence<index...>) {
    static constexpr Fn around[] = {call<index>...};
    Fn* const entries = reinterpret_cast<Fn*>(&(table.*field));  // through all dimensions, the last one being the dtype
    for (std::size_t i = 0; i < entries_of<field>; ++i)
      if (entries[i])
        kernels[i] = {std::exchange(entries[i], around[i]), int(i / dtype_count), int(i % dtype_count), &mark<field>};
  }
};

template <template <class...> class Policy, auto... fields>
void decorate_fields(Table& table) {
  static_assert((sizeof(FieldOf<fields>) + ...) == sizeof(Table) - sizeof(Table::name), "a field is missing below");
  (Decorated<Policy, fields, FnOf<fields>>::decorate(table, std::make_index_sequence<entries_of<fields>>{}), ...);
}

}  // namespace detail

/// A table each of whose entries calls Policy<types of arguments...>::call(arguments..., the kernel in `table`). Those
/// that `table` lacks it lacks. A policy decorates one table in a process: where its kernels are found is kept once.
template <template <class...> class Policy>
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
