#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>
#include <atomic>
#include <autograd/autograd.hpp>
#include <autograd/hooks.hpp>
#include <autograd/primitive.hpp>
#include <autograd/threads.hpp>
#include <same_bits.hpp>
#include <thread>

using namespace xgrad;

namespace {

constexpr int thread_count = 10;

template <class F>
void on_threads(F f) {
  std::vector<std::thread> threads;
  for (int i = 0; i < thread_count; ++i) threads.emplace_back([&f, i] { f(i); });
  for (std::thread& t : threads) t.join();
}

/// The gradient of a small model with the seed's numbers.
Tensor trained_gradient(std::uint64_t seed) {
  manual_seed(seed);
  Tensor w = randn({4, 5}, {.dtype = f64, .requires_grad = true});
  const Tensor b = randn({5}, {.dtype = f64, .requires_grad = true});
  for (int step = 0; step < 20; ++step) {
    w.zero_grad();
    sum(square(tanh(w * randn({4, 5}, {.dtype = f64}) + b) - 0.5)).backward();
    const NoGrad guard;
    w.assign(w - 0.1 * w.grad());
  }
  return w.grad();
}

}  // namespace

TEST_CASE("ten threads with independent graphs give the bits that one thread gives") {
  std::vector<Tensor> expected(thread_count), got(thread_count);
  for (int i = 0; i < thread_count; ++i) expected[std::size_t(i)] = trained_gradient(std::uint64_t(i));
  on_threads([&](int i) { got[std::size_t(i)] = trained_gradient(std::uint64_t(i)); });
  for (std::size_t i = 0; i < thread_count; ++i) CHECK(same_bits(got[i], expected[i]));
}

TEST_CASE("ten threads that share a leaf leave the exact sum in its gradient") {
  const Tensor x = ones({3}, {.dtype = f64, .requires_grad = true});
  constexpr int steps = 50;
  on_threads([&](int i) {
    for (int step = 0; step < steps; ++step) sum(x * (i + 1)).backward();
  });
  CHECK(x.grad().data<double>()[0] == steps * thread_count * (thread_count + 1) / 2);
}

TEST_CASE("ten threads that share a graph and retain it leave the exact sum") {
  const Tensor x = ones({3}, {.dtype = f64, .requires_grad = true});
  Tensor shared = x;
  for (int i = 0; i < 20; ++i) shared = shared + x * 2;
  on_threads([&](int i) { sum(shared * (i + 1)).backward({.retain_graph = true}); });
  CHECK(x.grad().data<double>()[0] == 41 * thread_count * (thread_count + 1) / 2);
}

TEST_CASE("of several threads that take one shared graph without retain one succeeds and the others throw") {
  for (int round = 0; round < 20; ++round) {
    const Tensor x = ones({3}, {.dtype = f64, .requires_grad = true});
    Tensor shared = x;
    for (int i = 0; i < 50; ++i) shared = shared * 1 + x;
    std::atomic<int> good{0}, refused{0};
    on_threads([&](int) {
      try {
        sum(shared).backward();
        ++good;
      } catch (const GraphError&) {
        ++refused;
      }
    });
    CHECK(good == 1);
    CHECK(refused == thread_count - 1);
    CHECK(x.grad().data<double>()[0] == 51);
  }
}

TEST_CASE("threads that retain a shared graph and one that takes it never crash") {
  for (int round = 0; round < 20; ++round) {
    const Tensor x = ones({3}, {.dtype = f64, .requires_grad = true});
    Tensor shared = x;
    for (int i = 0; i < 50; ++i) shared = exp(shared * 0.5) + x;
    std::atomic<int> good{0}, refused{0};
    on_threads([&](int i) {
      try {
        sum(shared).backward({.retain_graph = i % 2 == 0});
        ++good;
      } catch (const GraphError&) {
        ++refused;
      }
    });
    CHECK(good + refused == thread_count);
  }
}

TEST_CASE("a graph made in one thread is differentiated in another and freed in a third") {
  const std::int64_t nodes = memory::statistics().live_nodes;
  for (int round = 0; round < 5; ++round) {
    Tensor x, y;
    std::thread([&] {
      x = ones({100}, {.dtype = f64, .requires_grad = true});
      y = sum(exp(x) * x);
    }).join();
    std::thread([&] { y.backward({.retain_graph = true}); }).join();
    CHECK(x.has_grad());
    std::thread([&] { x = y = Tensor(); }).join();
  }
  CHECK(memory::statistics().live_nodes == nodes);
}

TEST_CASE("the number of threads for large work can be set while other threads compute, and is the same in all") {
  const int before = num_threads();
  CHECK(before >= 1);
  std::atomic<bool> valid{true};
  on_threads([&](int i) {
    for (int step = 0; step < 100; ++step) {
      set_num_threads(i + 1);
      valid = valid && num_threads() >= 1 && num_threads() <= thread_count && sum(ones({10})).item<float>() == 10;
    }
  });
  CHECK(valid);
  set_num_threads(3);
  int elsewhere = 0;
  std::thread([&] { elsewhere = num_threads(); }).join();
  CHECK(elsewhere == 3);
  CHECK_THROWS_AS(set_num_threads(0), ValueError);
  set_num_threads(before);
}

TEST_CASE("a child of fork computes gradients, whatever the parent's other threads were doing") {
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
      while (!stop) work();
    });
  int ended_well = 0;
  constexpr int children = 20;
  for (int i = 0; i < children && ended_well == i; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::alarm(10);  // ends the child if it waits for a lock that nobody will give back
      work();
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
