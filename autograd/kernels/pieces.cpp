#include <tbb/global_control.h>
#include <tbb/info.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>
#include <atomic>
#include <autograd/kernels/parallel.hpp>
#include <autograd/kernels/pieces.hpp>
#include <cstdlib>
#include <exception>
#include <optional>
#ifndef _WIN32
#include <pthread.h>
#endif

#ifdef XGRAD_THREAD_SANITIZER
extern "C" void __tsan_acquire(void* address);
extern "C" void __tsan_release(void* address);
extern "C" const char* __tsan_default_suppressions() { return "called_from_lib:libtbb.so"; }
#endif

namespace xgrad::kernels {
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

constexpr int most_threads = 1024;

std::atomic<int> thread_limit{0};  // 0: not asked for yet
std::atomic<bool> in_region{false};
/// Whether this process is a child of one that had workers. fork() copies the calling thread only, but TBB would go on
/// counting on the others.
std::atomic<bool> workers_lost{false};

/// The first number of OMP_NUM_THREADS, or the processors that this process may use.
int default_threads() {
  const char* const text = std::getenv("OMP_NUM_THREADS");
  const long n = text ? std::strtol(text, nullptr, 10) : 0;
  return n > 0 ? int(std::min<long>(n, most_threads)) : tbb::info::default_concurrency();
}

/// While it lives, other threads' pieces run in those threads: `entered` says whether it is the only one.
class Region {
 public:
  Region() : entered(!in_region.exchange(true)) {}
  ~Region() {
    if (entered) in_region = false;
  }
  Region(const Region&) = delete;
  Region& operator=(const Region&) = delete;

  const bool entered;
};

/// The thread in a region and n - 1 of TBB's workers.
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
#ifndef _WIN32
  if (!current) pthread_atfork(nullptr, nullptr, [] { workers_lost = true; });
#endif
  if (current && current->size == n) return *current;
  delete current;
  current = nullptr;
  return *(current = new Team(n));
}

}  // namespace

void set_threads(int n) { thread_limit = n; }

int threads() {
  if (workers_lost) return 1;
  int n = thread_limit;
  if (n == 0 && thread_limit.compare_exchange_strong(n, default_threads())) n = thread_limit;
  return n;
}

void run_pieces(Size count, void (*piece)(const void*, Size), const void* context) {
  const int n = std::min(threads(), most_threads);
  if (n > 1 && count > 1) {
    if (const Region region; region.entered) {
      // Pieces round as their caller does, and are not dropped if the caller is itself a task that TBB cancels.
      tbb::task_group_context own(tbb::task_group_context::isolated, tbb::task_group_context::fp_settings);
      // Exceptions do not pass through TBB, which may have been built with another standard library than this.
      std::exception_ptr error;
      std::atomic<bool> failed{false};
      release(&own);
      const auto run = [&, piece, context](Size i) {
        acquire(&own);
        try {
          piece(context, i);
        } catch (...) {
          if (!failed.exchange(true)) error = std::current_exception();
          own.cancel_group_execution();
        }
        release(&own);
      };
      team(n).arena.execute([&] { tbb::parallel_for(Size(0), count, run, tbb::simple_partitioner(), own); });
      acquire(&own);
      if (error) std::rethrow_exception(error);
      return;
    }
  }
  for (Size i = 0; i < count; ++i) piece(context, i);
}

}  // namespace xgrad::kernels
