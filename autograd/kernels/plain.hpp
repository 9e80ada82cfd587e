#pragma once
#include <autograd/dtype.hpp>
#include <autograd/kernels/table.hpp>
#include <autograd/memory.hpp>

/// What the sources beside this one share: they fill their entries in a table with the same functions for every
/// instruction set.
namespace xgrad::kernels {

void fill_indexing(Table& t);
void fill_ordering(Table& t);
void fill_scan(Table& t);
void fill_integer_products(Table& t);

/// Room for n numbers in between, whose pages cost nothing until they are written to.
template <class T>
struct Room {
  const std::size_t bytes;
  T* const numbers;

  explicit Room(Size n)
      : bytes(std::size_t(n) * sizeof(T)), numbers(static_cast<T*>(memory::detail::allocate(bytes))) {}
  ~Room() { memory::detail::release(numbers, bytes); }
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;
};

/// Calls body(T{}, dtype) for each element type; booleans move and order as bytes.
template <class Body>
void for_each_type(Body body) {
  body(float{}, int(f32));
  body(double{}, int(f64));
  body(std::int64_t{}, int(i64));
  body(std::uint8_t{}, int(boolean));
}

}  // namespace xgrad::kernels
