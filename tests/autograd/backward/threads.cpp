#include <doctest/doctest.h>
#include <atomic>
#include <autograd/autograd.hpp>
#include <autograd/hooks.hpp>
#include <autograd/primitive.hpp>
#include <autograd/threads.hpp>
#include <support.hpp>
#include <thread>

using namespace xgrad;

namespace {

constexpr int thread_count = 10;

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
  on_threads(thread_count, [&](int i) { got[std::size_t(i)] = trained_gradient(std::uint64_t(i)); });
  for (std::size_t i = 0; i < thread_count; ++i) CHECK(same_bits(got[i], expected[i]));
}

TEST_CASE("ten threads that share a leaf leave the exact sum in its gradient") {
  const Tensor x = ones({3}, {.dtype = f64, .requires_grad = true});
  constexpr int steps = 50;
  on_threads(thread_count, [&](int i) {
    for (int step = 0; step < steps; ++step) sum(x * (i + 1)).backward();
  });
  CHECK(x.grad().data<double>()[0] == steps * thread_count * (thread_count + 1) / 2);
}

TEST_CASE("ten threads that share a graph and retain it leave the exact sum") {
  const Tensor x = ones({3}, {.dtype = f64, .requires_grad = true});
  Tensor shared = x;
  for (int i = 0; i < 20; ++i) shared = shared + x * 2;
  constexpr int steps = 100;  // passes seldom meet at a node, and races between them would go unseen
  on_threads(thread_count, [&](int i) {
    for (int step = 0; step < steps; ++step) sum(shared * (i + 1)).backward({.retain_graph = true});
  });
  CHECK(x.grad().data<double>()[0] == 41 * steps * thread_count * (thread_count + 1) / 2);
}

TEST_CASE("of several threads that take one shared graph without retain one succeeds and the others throw") {
  for (int round = 0; round < 20; ++round) {
    const Tensor x = ones({3}, {.dtype = f64, .requires_grad = true});
    Tensor shared = x;
    for (int i = 0; i < 50; ++i) shared = shared * 1 + x;
    std::atomic<int> good{0}, refused{0};
    on_threads(thread_count, [&](int) {
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
    on_threads(thread_count, [&](int i) {
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

TEST_CASE("each thread without a seed of its own draws numbers of its own, which follow from the main thread's seed") {
  struct Drawn {
    Tensor uniform, normal, mask, order;
    bool operator==(const Drawn& other) const {
      return same_bits(uniform, other.uniform) && same_bits(normal, other.normal) && same_bits(mask, other.mask) &&
             same_bits(order, other.order);
    }
  };
  const auto draw = [] { return Drawn{rand({8}), randn({8}), bernoulli({64}, 0.5), randperm(20)}; };
  const auto elsewhere = [&](auto before) {
    Drawn drawn;
    std::thread([&] {
      before();
      drawn = draw();
    }).join();
    return drawn;
  };
  const auto unseeded = [] {};
  const auto round = [&](std::uint64_t seed) {
    manual_seed(seed);
    const Drawn first = elsewhere(unseeded), second = elsewhere(unseeded);
    return std::vector<Drawn>{draw(), first, second};  // the main thread's numbers do not depend on the others
  };
  manual_seed(1);
  const Drawn alone = draw();
  const std::vector<Drawn> one = round(1), two = round(2), again = round(1);
  CHECK(one[0] == alone);
  CHECK(one == again);
  std::vector<Drawn> all = one;
  all.insert(all.end(), two.begin(), two.end());
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      CHECK(!same_bits(all[i].uniform, all[j].uniform));
      CHECK(!same_bits(all[i].normal, all[j].normal));
      CHECK(!same_bits(all[i].mask, all[j].mask));
      CHECK(!same_bits(all[i].order, all[j].order));
    }
  }
  CHECK(elsewhere([] { manual_seed(1); }) == alone);  // a seed of its own gives what it gives anywhere
  CHECK(elsewhere([] { set_random_state({1, 0}); }) == alone);
}

TEST_CASE("a thread that has drawn goes on as it began whatever seed the main thread takes") {
  const auto two_draws = [](bool reseeds) {
    manual_seed(3);
    std::vector<Tensor> drawn;
    std::atomic<int> stage{0};
    std::thread thread([&] {
      drawn.push_back(rand({4}));
      stage = 1;
      stage.notify_one();
      stage.wait(1);
      drawn.push_back(rand({4}));
    });
    stage.wait(0);
    if (reseeds) manual_seed(4);
    stage = 2;
    stage.notify_one();
    thread.join();
    return drawn;
  };
  const std::vector<Tensor> left = two_draws(false), reseeded = two_draws(true);
  CHECK(same_bits(left[0], reseeded[0]));
  CHECK(same_bits(left[1], reseeded[1]));
}

TEST_CASE("the number of threads for large work can be set while other threads compute, and is the same in all") {
  const RestoreThreads restore;
  CHECK(restore.before >= 1);
  std::atomic<bool> valid{true};
  on_threads(thread_count, [&](int i) {
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
}
