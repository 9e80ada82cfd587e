#include <autograd/array.hpp>
#include <autograd/core/capturing.hpp>
#include <autograd/kernels/table.hpp>
#include <new>

// Where the bytes of arrays come from, and the clock of writes.
namespace xgrad {

namespace {
constinit std::atomic<std::uint64_t> clock{0};

Ref<Storage> make_storage(std::size_t bytes) {
  Storage* s;
  if (capturing::active()) [[unlikely]] {
    s = capturing::current->make_storage(bytes);
  } else {
    s = new (memory::detail::allocate(Storage::header + bytes)) Storage(bytes);
  }
  memory::detail::count_bytes(static_cast<std::int64_t>(bytes));
  return Ref<Storage>::adopt(s);
}

}  // namespace

std::uint64_t now() { return clock.load(std::memory_order_relaxed); }
std::uint64_t tick() { return clock.fetch_add(1, std::memory_order_relaxed) + 1; }

void Storage::destroy(Storage* s) noexcept {
  const std::size_t bytes = s->bytes;
  memory::detail::count_bytes(-static_cast<std::int64_t>(bytes));
  if (s->owner) [[unlikely]]
    return s->owner->take_back(s);
  s->~Storage();
  memory::detail::release(s, header + bytes);
}

Array::Array(Dtype dtype, const Shape& shape)
    : storage_(make_storage(static_cast<std::size_t>(checked_size(shape)) * size_of(dtype))),
      data_(storage_->data()),
      dtype_(dtype),
      shape_(shape) {}

Array Array::clone() const {
  capturing::keep(*this);
  Array copy(dtype_, shape_);
  if (size() > 0) kernels::table().copy[int(dtype_)](data_, copy.data(), kernels::Loop<2>::row(size(), 1, 1));
  return copy;
}

}  // namespace xgrad
