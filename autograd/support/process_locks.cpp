#include <autograd/support/process_locks.hpp>
#include <autograd/support/system.hpp>

// Locks that fork() finds free.
namespace xgrad::detail {
namespace {

constexpr int count = int(ProcessLock::count);

// Never destroyed: threads and static tensors need them until the very end.
std::mutex* make_locks() {
  const auto free = [] {
    for (int i = count; i-- > 0;) process_lock(ProcessLock(i)).unlock();
  };
  system::around_fork(
      [] {
        for (int i = 0; i < count; ++i) process_lock(ProcessLock(i)).lock();
      },
      free, free);
  return new std::mutex[count];
}

}  // namespace

std::mutex& process_lock(ProcessLock which) noexcept {
  static std::mutex* const locks = make_locks();
  return locks[int(which)];
}

}  // namespace xgrad::detail
