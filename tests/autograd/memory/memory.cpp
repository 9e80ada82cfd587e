#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <autograd/capture.hpp>
#include <autograd/memory.hpp>
#include <cmath>
#include <condition_variable>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "sanitized.hpp"
#include "support.hpp"

using namespace xgrad;
using memory::statistics;

namespace {

void train(int steps) {
  Tensor w = ones({8, 16}, {.requires_grad = true}), b = zeros({16}, {.requires_grad = true});
  for (int step = 0; step < steps; ++step) {
    w.zero_grad();
    b.zero_grad();
    sum(square(tanh(w * randn({8, 16}) + b) - 0.25)).backward();
    const NoGrad guard;
    w.assign(w - 0.01 * w.grad());
    b.assign(b - 0.01 * b.grad());
  }
}

}  // namespace

TEST_CASE("a training loop in its steady state asks the system for nothing") {
  train(20);
  const auto before = statistics();
  train(1000);
  const auto after = statistics();
  if (!sanitized) CHECK(after.system_allocations == before.system_allocations);
  CHECK(after.live_bytes == before.live_bytes);
  CHECK(after.live_nodes == before.live_nodes);
}

TEST_CASE("live bytes count what arrays hold, and views count once") {
  const std::int64_t before = statistics().live_bytes;
  {
    const Tensor x = zeros({1000}, {.dtype = f64});
    CHECK(statistics().live_bytes - before == 8000);
    const Tensor view = reshape(x, {10, 100}), same = x;
    CHECK(statistics().live_bytes - before == 8000);
    const Tensor copy = x.clone();
    CHECK(statistics().live_bytes - before == 16000);
  }
  CHECK(statistics().live_bytes == before);
}

TEST_CASE("numbers of every size start on a multiple of 64 bytes and belong to one array only") {
  std::vector<Tensor> tensors;
  for (std::int64_t n = 0; n < 2000; n += 7) {
    tensors.push_back(full({n}, n, {.dtype = f64}));
    CHECK(reinterpret_cast<std::uintptr_t>(tensors.back().array().data()) % 64 == 0);
  }
  for (const Tensor& t : tensors)
    for (std::int64_t i = 0; i < t.size(); ++i) REQUIRE(t.data<double>()[i] == double(t.size()));
}

TEST_CASE("many small blocks cost few requests to the system") {
  const std::int64_t before = statistics().system_allocations;
  std::vector<Tensor> tensors;
  for (int i = 0; i < 10'000; ++i) tensors.push_back(tensor(double(i), {.dtype = f64, .requires_grad = true}));
  if (!sanitized) CHECK(statistics().system_allocations - before < 200);
  for (int i = 0; i < 10'000; ++i) REQUIRE(tensors[std::size_t(i)].item<double>() == i);
}

TEST_CASE("a thread that only frees feeds one that only allocates") {
  const auto round = [] {
    std::vector<Tensor> tensors;
    for (int i = 0; i < 50'000; ++i) tensors.push_back(tensor(1.));
    std::thread([&] { tensors.clear(); }).join();
  };
  for (int i = 0; i < 3; ++i) round();
  const auto before = statistics();
  for (int i = 0; i < 10; ++i) round();
  CHECK(statistics().live_bytes == before.live_bytes);
  if (!sanitized) CHECK(statistics().system_allocations - before.system_allocations < 20);
}

/// A semaphore of one: that of libstdc++ 12 can sleep forever on Windows.
class Turn {
 public:
  explicit Turn(bool free) : free_(free) {}
  void acquire() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return free_; });
    free_ = false;
  }
  void release() {
    const std::lock_guard lock(mutex_);
    free_ = true;
    changed_.notify_one();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool free_;
};

TEST_CASE("large arrays that one thread makes and another frees lie in the same few blocks") {
  memory::trim();
  const std::int64_t before = statistics().idle_bytes;
  constexpr int rounds = 1000;
  constexpr std::int64_t bytes = 1 << 18;
  Tensor slot;
  Turn filled(false), empty(true);
  const auto make = [&] {
    for (int i = 0; i < rounds; ++i) {
      Tensor batch = full({bytes / 4}, i);
      empty.acquire();
      slot = std::move(batch);
      filled.release();
    }
  };
  float wrong = 0;
  const auto free = [&] {
    for (int i = 0; i < rounds; ++i) {
      filled.acquire();
      const Tensor batch = std::move(slot);
      empty.release();
      wrong += std::abs(batch.data<float>()[0] - float(i));
    }
  };
  for (const bool makes : {false, true, false}) {  // who made much and then frees what others make does not keep it
    const std::int64_t requests = statistics().system_allocations;
    std::thread other([&] { makes ? free() : make(); });
    makes ? make() : free();
    other.join();
    if (!sanitized) CHECK(statistics().system_allocations - requests < 20);
    CHECK(statistics().idle_bytes - before < 10 * bytes);
  }
  CHECK(wrong == 0);
  memory::trim();
  CHECK(statistics().idle_bytes - before < bytes);
}

TEST_CASE("a thread that ends leaves its small blocks to the others") {
  const auto work = [] { std::thread([] { train(5); }).join(); };
  for (int i = 0; i < 3; ++i) work();
  const auto before = statistics();
  for (int i = 0; i < 100; ++i) work();
  CHECK(statistics().live_bytes == before.live_bytes);
  CHECK(statistics().live_nodes == before.live_nodes);
  if (!sanitized) CHECK(statistics().system_allocations - before.system_allocations <= 100);
}

TEST_CASE("trim gives large idle blocks back") {
  { const Tensor large = zeros({1 << 20}); }
  if (!sanitized) CHECK(statistics().idle_bytes >= 4 << 20);
  memory::trim();
  CHECK(statistics().idle_bytes < 4 << 20);
  const Tensor again = full({1 << 20}, 3);
  CHECK(again.data<float>()[(1 << 20) - 1] == 3);
}

TEST_CASE("numbers that are reused belong to the new array only") {
  std::vector<Tensor> kept;
  for (int i = 0; i < 200; ++i) {
    const Tensor gone = full({i % 50}, -1);
    kept.push_back(full({i % 50}, i));
  }
  for (int i = 0; i < 200; ++i)
    for (int k = 0; k < i % 50; ++k) REQUIRE(kept[std::size_t(i)].data<float>()[k] == float(i));
}

TEST_CASE("more memory than there is gives an error that names the bytes, and the process lives on") {
  const std::int64_t floats = std::int64_t{1} << 46;
  const std::int64_t before = statistics().live_bytes;
  const std::string said = thrown([&] { (void)zeros({floats}); });
  CHECK_MESSAGE(has(said, "memory.cpp:"), said);
  CHECK_MESSAGE(has(said, "zeros: out of memory: 281474976710"), said);
  CHECK(statistics().live_bytes == before);
  CHECK(sum(ones({10})).item<float>() == 10);
}

TEST_CASE("large arrays begin at one place of a page, in recordings too") {
  if (sanitized) return;
  std::vector<std::uintptr_t> places;
  const auto note = [&](const Tensor& t) {
    places.push_back(reinterpret_cast<std::uintptr_t>(t.data<float>()) % 4096);
  };
  const Tensor a = zeros({5000}), b = zeros({70'001});
  note(a);
  note(b);
  capture([&] {
    const Tensor odd = a * 2., c = odd + 1., large = b * 2.;
    note(sum(c) * ones({3}) + sum(large));
    note(c);
    note(large);
  })();
  places.erase(places.begin() + 2);  // a small one
  CHECK(places == std::vector<std::uintptr_t>(4, places[0]));
}

namespace {
// Freed after every other object of this file, as a program's global model is.
Tensor global;
struct KeepsTensor {
  Tensor t = ones({3});
};
}  // namespace

TEST_CASE("tensors outlive threads, and thread-local and static ones are freed in any order") {
  global = ones({100}, {.requires_grad = true});
  std::thread([] {
    thread_local KeepsTensor kept;
    kept.t = exp(global) * sum(kept.t);
    global = kept.t;
  }).join();
  CHECK(global.size() == 100);
}
