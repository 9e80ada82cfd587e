#pragma once
#include <autograd/dtype.hpp>
#include <autograd/memory.hpp>
#include <autograd/shape.hpp>

#pragma GCC visibility push(default)

namespace xgrad {

struct Storage;

/// Whose memory the bytes of a storage are, where it is not the pool's.
class StorageOwner {
 public:
  /// Takes back what it gave to `storage`, which nobody refers to any more.
  virtual void take_back(Storage* storage) noexcept = 0;

 protected:
  ~StorageOwner() = default;
};

/// The bytes of one or more arrays, 64-byte aligned, shared by reference counting.
struct Storage {
  std::atomic<std::uint32_t> references{1};
  /// When `assign` or an optimiser last wrote here, on the clock of writes; 0 if never. A rule recorded before that
  /// moment must not use these values any more.
  std::atomic<std::uint64_t> written{0};
  std::size_t bytes;
  /// A captured step's memory (autograd/capture.hpp), if the bytes lie there; null otherwise.
  StorageOwner* owner = nullptr;

  std::byte* const first;

  explicit Storage(std::size_t size) : bytes(size), first(reinterpret_cast<std::byte*>(this) + header) {}
  Storage(std::size_t size, std::byte* at, StorageOwner* of) : bytes(size), owner(of), first(at) {}
  std::byte* data() const { return first; }

  static constexpr std::size_t header = 64;
  static void destroy(Storage* s) noexcept;
};

/// The numbers of a tensor: dtype, shape, and contiguous row-major storage that may be shared.
class Array {
 public:
  Array() = default;
  /// Uninitialised elements. Throws ShapeError on a shape that check_sizes refuses, Error if memory is out.
  Array(Dtype dtype, const Shape& shape);
  /// A view of `storage` that starts at `data`.
  Array(Dtype dtype, const Shape& shape, Ref<Storage> storage, std::byte* data)
      : storage_(std::move(storage)), data_(data), dtype_(dtype), shape_(shape) {}

  bool defined() const { return static_cast<bool>(storage_); }
  Dtype dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  int ndim() const { return shape_.ndim(); }
  std::int64_t size() const { return shape_.size(); }
  std::size_t bytes() const { return static_cast<std::size_t>(size()) * size_of(dtype_); }
  const Ref<Storage>& storage() const { return storage_; }

  void* data() const { return data_; }
  template <class T>
  T* data() const {
    return reinterpret_cast<T*>(data_);
  }

  /// The same elements under another shape of equal size; shares storage.
  Array viewed(const Shape& shape) const { return {dtype_, shape, storage_, data_}; }
  /// `shape` elements from element `offset` on; shares storage.
  Array viewed(const Shape& shape, std::int64_t offset) const {
    return {dtype_, shape, storage_, data_ + static_cast<std::size_t>(offset) * size_of(dtype_)};
  }
  /// Copies the elements into storage of their own.
  Array clone() const;
  /// When `assign` or an optimiser last wrote into the storage, on the clock of writes.
  std::uint64_t written() const { return storage_->written.load(std::memory_order_relaxed); }
  /// Whether nobody else can see these elements, so that they may be overwritten.
  bool unique() const { return storage_.unique(); }

 private:
  Ref<Storage> storage_;
  std::byte* data_ = nullptr;
  Dtype dtype_ = f32;
  Shape shape_;
};

/// The clock of writes: how many there have been by `assign` and the optimisers, in all threads.
std::uint64_t now();
/// The time of a write that is happening: later than everything recorded before it.
std::uint64_t tick();

}  // namespace xgrad
#pragma GCC visibility pop
