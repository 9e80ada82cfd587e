#include <sys/wait.h>
#include <unistd.h>
#include <atomic>
#include <autograd/autograd.hpp>
#include <autograd/hooks.hpp>
#include <autograd/kernels/pieces.hpp>
#include <set>
#include <thread>

#include "parallel_support.hpp"
#include "sanitized.hpp"

// Threads and forked processes.
using namespace xgrad;

TEST_CASE("a child of fork computes on one thread, with the same bits, if its parent has spread work") {
  using namespace kernels;
  using namespace reference;
  const Threads restore;
  set_threads(3);
  const auto x = values<float>(1'000'000);
  const float expected = parallel_sum(x);
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(20);  // ends the child if it waits for threads that it does not have
    set_threads(3);
    std::set<std::thread::id> seen;
    run_pieces(50, [&](Size) { seen.insert(std::this_thread::get_id()); });
    ::_exit(parallel_sum(x) == expected && seen.size() == 1 && threads() == 1 ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(threads() == 3);
  CHECK(parallel_sum(x) == expected);
}

// The allocators of sanitizers take no care of fork: a child may wait in them for a lock of its parent's threads.
TEST_CASE("a child of fork computes gradients, whatever the parent's other threads were doing" *
          doctest::skip(sanitized)) {
  const Tensor shared = ones({100'000}, {.requires_grad = true});
  const auto work = [&] {
    sum(shared * 2).backward();
    const Tensor x = ones({3}, {.requires_grad = true});
    x.register_hook([](const Tensor& g) { return g; });
    sum(x * x).backward();
  };
  std::atomic<bool> stop = false;
  std::vector<std::thread> others;
  for (int i = 0; i < 2; ++i)
    others.emplace_back([&] {
      while (!stop) {
        work();
        std::thread([] { rand({1}); }).join();  // a first draw, which takes its seed from the process
      }
    });
  int ended_well = 0;
  constexpr int children = 20;
  for (int i = 0; i < children && ended_well == i; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::alarm(10);  // ends the child if it waits for a lock that nobody will give back
      work();
      manual_seed(0);
      ::_exit(0);
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    ended_well += WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }
  stop = true;
  for (std::thread& t : others) t.join();
  CHECK(ended_well == children);
}
