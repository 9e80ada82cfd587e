#include <tbb/global_control.h>
#include <tbb/info.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>
#include <autograd/kernels/workers.hpp>
#include <optional>

#ifdef XGRAD_THREAD_SANITIZER
extern "C" void __tsan_acquire(void* address);
extern "C" void __tsan_release(void* address);
extern "C" const char* __tsan_default_suppressions() { return "called_from_lib:libtbb.so"; }
#endif

/// Threads of oneTBB.
namespace xgrad::kernels::workers {
namespace {

/// The thread sanitizer does not see what TBB orders and is told: what came before release(x) in one thread comes
/// before what follows acquire(x) in another.
#ifdef XGRAD_THREAD_SANITIZER
void acquire(void* x) { __tsan_acquire(x); }
void release(void* x) { __tsan_release(x); }
#else
void acquire(void*) {}
void release(void*) {}
#endif

/// The calling thread and n - 1 of TBB's workers.
class Team {
 public:
  explicit Team(int n) : size(n), arena(n) {
    constexpr auto limit = tbb::global_control::max_allowed_parallelism;
    if (tbb::global_control::active_value(limit) < std::size_t(n)) beyond_processors_.emplace(limit, std::size_t(n));
  }

  const int size;
  tbb::task_arena arena;

 private:
  std::optional<tbb::global_control> beyond_processors_;
};

/// Of n threads; kept until another number is asked for.
Team& team(int n) {
  static Team* current = nullptr;  // never destroyed: threads may compute until the very end
  if (current && current->size == n) return *current;
  delete current;
  current = nullptr;
  return *(current = new Team(n));
}

}  // namespace

int processors() { return tbb::info::default_concurrency(); }

void spread(int threads, Size count, xgrad::detail::FunctionRef<void(Size)> piece) {
  // Pieces round as their caller does, and are not dropped if the caller is itself a task that TBB cancels.
  tbb::task_group_context own(tbb::task_group_context::isolated, tbb::task_group_context::fp_settings);
  release(&own);
  const auto run = [&own, piece](Size i) {
    acquire(&own);
    piece(i);
    release(&own);
  };
  team(threads).arena.execute([&] { tbb::parallel_for(Size(0), count, run, tbb::simple_partitioner(), own); });
  acquire(&own);
}

}  // namespace xgrad::kernels::workers
