#include <atomic>
#include <autograd/kernels/pieces.hpp>
#include <cfenv>
#include <chrono>
#include <cstdlib>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>

#include "environment.hpp"
#include "parallel_support.hpp"

// Work spread over threads has the bits of one thread.
using namespace reference;
using namespace xgrad::kernels;
using xgrad::f32, xgrad::f64, xgrad::i64;

TEST_CASE("pieces run in as many threads as were asked for, each piece once") {
  const Threads restore;
  set_threads(3);
  std::set<std::thread::id> seen;
  std::vector<int> runs(50);
  std::mutex lock;
  run_pieces(50, [&](Size i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    const std::lock_guard guard(lock);
    seen.insert(std::this_thread::get_id());
    ++runs[at(i)];
  });
  CHECK(seen.size() == 3);
  CHECK(runs == std::vector<int>(50, 1));
}

TEST_CASE("the number of threads is at first what OMP_NUM_THREADS says, or that of the processors") {
  const Threads restore;
  const char* const said = std::getenv("OMP_NUM_THREADS");
  const std::string before = said ? said : "";
  const auto with = [](const char* text) {
    set_variable("OMP_NUM_THREADS", text);
    set_threads(0);
    return threads();
  };
  CHECK(with("3") == 3);
  CHECK(with(" 5,2") == 5);
  const int processors = with("");
  CHECK(processors >= 1);
  CHECK(processors <= int(std::thread::hardware_concurrency()));
  CHECK(with("many") == processors);
  CHECK(with("-1") == processors);
  set_variable("OMP_NUM_THREADS", before.c_str());
}

TEST_CASE("a thread more than there are processors, and a thousand, are no trouble") {
  const Threads restore;
  for (const int n : {int(std::thread::hardware_concurrency()) + 1, 1000, 1'000'000, 2}) {
    set_threads(n);
    std::atomic<int> runs = 0;
    run_pieces(100, [&](Size) { ++runs; });
    CHECK(runs == 100);
  }
}

TEST_CASE("pieces round as the thread does that started them") {
  const Threads restore;
  set_threads(3);
  std::vector<int> modes(30);
  std::fesetround(FE_UPWARD);
  run_pieces(30, [&](Size i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    modes[at(i)] = std::fegetround();
  });
  std::fesetround(FE_TONEAREST);
  CHECK(modes == std::vector<int>(30, FE_UPWARD));
  run_pieces(30, [&](Size i) { modes[at(i)] = std::fegetround(); });
  CHECK(modes == std::vector<int>(30, FE_TONEAREST));
}

TEST_CASE("pieces that start pieces run them in their own thread") {
  const Threads restore;
  set_threads(3);
  std::vector<int> own(6);
  run_pieces(6, [&](Size i) {
    const auto caller = std::this_thread::get_id();
    run_pieces(4, [&](Size) { own[at(i)] += std::this_thread::get_id() == caller; });
  });
  CHECK(own == std::vector<int>(6, 4));
}

TEST_CASE("programs' own threads that each start large work get the bits that one gets") {
  const auto x = values<float>(1'000'000);
  const float expected = parallel_sum(x);
  std::vector<float> got(8);
  std::vector<std::thread> workers;
  for (float& y : got)
    workers.emplace_back([&] {
      for (int i = 0; i < 20; ++i) y = parallel_sum(x);
    });
  for (std::thread& worker : workers) worker.join();
  CHECK(got == std::vector<float>(8, expected));
}

TEST_CASE("an exception in a piece arrives where the pieces were started") {
  const Threads restore;
  for (const int n : {1, 2}) {
    set_threads(n);
    CHECK_THROWS_AS(run_pieces(8,
                               [](Size i) {
                                 if (i == 5) throw std::length_error("piece");
                               }),
                    std::length_error);
  }
}

TEST_CASE("an exception of another thread's piece arrives where the pieces were started") {
  const Threads restore;
  set_threads(2);
  const std::thread::id here = std::this_thread::get_id();
  std::atomic<bool> thrown{false};
  const auto body = [&](Size) {
    if (std::this_thread::get_id() != here) {
      thrown = true;
      throw std::length_error("piece");
    }
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!thrown && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  };
  for (int i = 0; i < 20; ++i) {
    thrown = false;
    CHECK_THROWS_WITH_AS(run_pieces(2, body), "piece", std::length_error);
  }
}

TEST_CASE("the pieces of a loop cover it once, in any shape") {
  for (const auto& sizes :
       std::vector<std::vector<Size>>{{1}, {1000}, {3, 1000}, {7, 5, 301}, {2, 2, 2, 2}, {500, 1}}) {
    const int rank = int(sizes.size());
    Size stride = 1;
    std::vector<Size> contiguous(sizes.size());
    for (std::size_t d = sizes.size(); d-- > 0; stride *= sizes[d]) contiguous[d] = stride;
    const Loop<2> loop = loop2(sizes, contiguous, std::vector<Size>(sizes.size(), 0));
    for (const Size wanted : {2, 5, 40, 100000}) {
      std::vector<int> visits(at(stride));
      const Cut<2> cut(loop, rank, wanted);
      for (Size i = 0; i < cut.count(); ++i) {
        cut.piece(i, [&](const Loop<2>& part, const Size* offsets, Size first) {
          CHECK(offsets[0] == first);  // the first array is contiguous in the loop's order
          for (Size j = 0; j < part.count(); ++j) ++visits[at(first + j)];
        });
      }
      CHECK(visits == std::vector<int>(at(stride), 1));
    }
  }
}

TEST_CASE_TEMPLATE("elementwise kernels give the same bits for any number of threads", T, float, double) {
  constexpr Size n = 600'407;
  const auto a = values<T>(n, 1), b = values<T>(n, 2);
  for (const Unary f : {Unary::negate, Unary::exp, Unary::tanh, Unary::gelu})
    check_exact(a, [&](const Table& t, T* y) { t.unary[int(f)][of<T>](y, y, n); });
  check_exact(std::vector<std::uint8_t>(n),
              [&](const Table& t, auto* y) { t.predicate[int(Predicate::isnan)][of<T>](a.data(), y, n); });
  check_exact(std::vector<std::int64_t>(n), [&](const Table& t, auto* y) { t.cast[of<T>][int(i64)](a.data(), y, n); });
  check_exact(std::vector<std::uint8_t>(n), [&](const Table& t, auto* y) {
    t.compare[int(Compare::less)][of<T>](a.data(), b.data(), y, loop2({n}, {1}, {1}));
  });
  check_exact(std::vector<T>(n), [&](const Table& t, T* y) {
    t.dropout[of<T>](a.data(), reinterpret_cast<const bool*>(std::vector<char>(n, 1).data()), 1.25, y, n);
  });
  const auto add = [&](const Loop<2>& loop) {
    INFO("rank and first size: ", loop.rank, " ", loop.sizes[0]);
    check_exact(std::vector<T>(at(loop.count())),
                [&](const Table& t, T* y) { t.binary[int(Binary::add)][of<T>](a.data(), b.data(), y, loop); });
  };
  add(loop2({n}, {1}, {1}));
  add(loop2({n}, {1}, {0}));
  add(loop2({999, 601}, {601, 1}, {0, 1}));
  add(loop2({999, 601}, {601, 1}, {1, 0}));
  add(loop2({2, 300'000}, {300'000, 1}, {0, 1}));
  add(loop2({601, 999}, {1, 601}, {999, 1}));
  add(loop2({3, 5, 40'000}, {200'000, 40'000, 1}, {1, 3, 15}));
  Loop<3> loop{2, {999, 601}, {{0, 1}, {601, 1}, {1, 0}}};
  const std::vector<std::uint8_t> mask(601, 1);
  check_exact(std::vector<T>(999 * 601), [&](const Table& t, T* y) {
    t.select[of<T>](reinterpret_cast<const bool*>(mask.data()), a.data(), b.data(), y, loop);
  });
}

TEST_CASE_TEMPLATE("copies and row sums give the same bits for any number of threads", T, float, double, std::int64_t) {
  constexpr Size rows = 611, cols = 1021;
  const auto x = values<T>(rows * cols, 1), start = values<T>(rows * cols, 2);
  for (const Loop<2>& loop : {loop2({rows, cols}, {cols, 1}, {1, rows}), loop2({cols, rows}, {rows, 1}, {1, cols}),
                              loop2({rows * cols}, {1}, {1}), loop2({rows * cols}, {1}, {0})}) {
    check_exact(start, [&](const Table& t, T* y) { t.copy[of<T>](x.data(), y, loop); });
    check_exact(start, [&](const Table& t, T* y) { t.accumulate[of<T>](x.data(), y, loop); });
  }
  check_exact(start, [&](const Table& t, T* y) { t.add_row[of<T>](x.data(), y, rows, cols); });
  check_exact(start, [&](const Table& t, T* y) { t.add_row[of<T>](x.data(), y, rows * cols / 7, 7); });
}

TEST_CASE_TEMPLATE("random numbers are the same for any number of threads", T, float, double) {
  constexpr Size n = 600'407;
  check_exact(std::vector<T>(n), [](const Table& t, T* y) { t.uniform[of<T>](y, n, 128, 7, 8); });
  check_exact(std::vector<T>(n), [](const Table& t, T* y) { t.normal[of<T>](y, n, 0, 7, 8); });
  check_exact(std::vector<char>(n),
              [](const Table& t, char* y) { t.keep(reinterpret_cast<bool*>(y), n, 0, 0.3, 7, 8); });
}

TEST_CASE_TEMPLATE("optimisers give the same bits for any number of threads", T, float, double) {
  constexpr Size n = 300'011;
  OptimiserStep step{};
  step.lr = 1e-3, step.beta1 = 0.9, step.beta2 = 0.99, step.eps = 1e-8, step.rate1 = 1e-2, step.rate2 = 3;
  const auto g = values<T>(n, 1), p = values<T>(4 * n, 2);
  std::vector<T> start = p;
  for (std::size_t i = n; i < start.size(); ++i) start[i] = std::fabs(start[i]);  // moments
  for (const auto kernel : {&Table::sgd, &Table::adam, &Table::rmsprop, &Table::adagrad})
    check_exact(start, [&](const Table& t, T* y) {
      // Two large ones between small ones.
      OptimiserArrays parts[6];
      Size first = 0, k = 0;
      for (const Size size : {Size(7), Size(150'000), Size(64), Size(1), Size(149'000), n - 299'072}) {
        parts[k++] = {y + first, g.data() + first, y + n + first, y + 2 * n + first, y + 3 * n + first, size};
        first += size;
      }
      (t.*kernel)[of<T>](parts, k, step);
    });
}

TEST_CASE_TEMPLATE("indexing, ordering and scans give the same bits for any number of threads", T, float, double,
                   std::int64_t) {
  struct View {
    Size outer, count, inner;
  };
  for (const View v : {View{1, 3000, 200}, View{300, 2000, 1}, View{40, 50, 300}}) {
    const Size n = v.outer * v.count * v.inner;
    const auto x = values<T>(n, 1), start = values<T>(n, 2);
    std::vector<Size> each(at(n)), whole(at(v.count));
    for (Size i = 0; i < n; ++i) each[at(i)] = i * 7919 % v.count;
    for (Size i = 0; i < v.count; ++i) whole[at(i)] = i * 7919 % v.count;
    for (const auto kernel : {&Table::take, &Table::gather})
      check_exact(start, [&](const Table& t, T* y) {
        (t.*kernel)[of<T>](x.data(), kernel == &Table::take ? whole.data() : each.data(), y, v.outer, v.count, v.count,
                           v.inner);
      });
    for (const auto kernel : {&Table::index_add, &Table::scatter_add})
      check_exact(start, [&](const Table& t, T* y) {
        (t.*kernel)[of<T>](y, kernel == &Table::index_add ? whole.data() : each.data(), x.data(), v.outer, v.count,
                           v.count, v.inner);
      });
    for (const auto kernel : {&Table::argmax, &Table::argmin})
      check_exact(std::vector<Size>(at(v.outer * v.inner)),
                  [&](const Table& t, Size* y) { (t.*kernel)[of<T>](x.data(), y, v.outer, v.count, v.inner); });
    check_exact(std::vector<Size>(at(v.outer * 5 * v.inner)),
                [&](const Table& t, Size* y) { t.argsort[of<T>](x.data(), y, v.outer, v.count, 5, v.inner, true); });
    for (const auto kernel : {&Table::cumsum, &Table::cumprod})
      check_exact(x, [&](const Table& t, T* y) { (t.*kernel)[of<T>](y, y, v.outer, v.count, v.inner, true, false); });
    if constexpr (std::is_floating_point_v<T>)
      check_exact(start, [&](const Table& t, T* y) {
        t.recurrence[of<T>](x.data(), start.data(), y, v.outer, v.count, v.inner, false);
      });
  }
}
