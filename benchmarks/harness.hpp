#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

/// Programs that do the same work are timed in turn, A B A B, so that whatever else the machine does meets all of
/// them. Each has warm-up calls and then `blocks` blocks of many calls; its figure is the median over blocks, a
/// comparison is the ratio of two medians, and its spread are the quartiles of the ratios block by block.
namespace bench {

struct Settings {
  int warm_up = 200;  // calls of each competitor before timing, cut short after `warm_up_seconds`
  double warm_up_seconds = 1.0;
  int blocks = 30;
  double block_seconds = 0.05;
};

/// Fewer and shorter calls, for the many rows of a kernel's sizes.
Settings shortened(Settings settings);

/// How the seconds of a call are printed: as time (factor * seconds), or as a rate (factor / seconds).
struct Unit {
  std::string name;
  double factor = 1;
  bool rate = false;
  double operator()(double seconds) const { return rate ? factor / seconds : factor * seconds; }
};
inline Unit microseconds() { return {"us", 1e6}; }
inline Unit nanoseconds_per(double parts) { return {"ns", 1e9 / parts}; }
inline Unit gigabytes(double bytes_a_call) { return {"GB/s", bytes_a_call * 1e-9, true}; }
inline Unit gigaflops(double flops_a_call) { return {"GFLOP/s", flops_a_call * 1e-9, true}; }

struct Competitor {
  std::string name;
  std::function<void(std::int64_t calls)> run;
  Unit unit;
  std::function<void()> prepare = {};  // before each block, not timed: sets the number of threads, say
  bool limit = false;                  // shows what is possible at best; set where figures are rates
};

/// `work` as often as asked, without an indirect call each time.
template <class Work>
std::function<void(std::int64_t)> repeat(Work work) {
  return [work](std::int64_t calls) mutable {
    for (std::int64_t i = 0; i < calls; ++i) work();
  };
}

/// Keeps the compiler from dropping a computation whose result nobody reads.
template <class T>
void keep(const T& value) {
  asm volatile("" : : "r"(&value) : "memory");
}

/// How many threads xgrad and its peers may use from now on.
void set_threads(int n);

struct Series {
  std::string name;
  Unit unit;
  bool limit = false;
  std::vector<double> figures = {};  // one a block
  double median() const;
};
std::vector<Series> measure(const std::vector<Competitor>& competitors, const Settings& settings);

/// One line of the table. `ratio` says how many times better xgrad is: times are divided peer by ours, rates ours by
/// peer. `low` and `high` are quartiles.
struct Row {
  static constexpr int best_of_all = 0;  // in place of a number of threads: each side's better one

  std::string name;       // what was done
  std::string size_name;  // "batch" or "size"
  std::string size;
  int threads = 1;
  std::string against;  // who the peer is; empty: nobody to compare with, and only `ours` counts
  std::string unit;
  bool limit = false;  // whether the peer shows what is possible, so that the ratio is a share of it
  double ours = 0, peer = 0, ratio = 0, low = 0, high = 0;
};

/// What all rows of one comparison have in common.
struct Label {
  std::string name, size_name, size;
  int threads = 1;
};
Row compare(const Label& label, const Series& ours, const Series& peer);
/// Of series[0], ours, with series[1]; alone where the peer is not there.
Row compare(const Label& label, const std::vector<Series>& series);
/// The series with the best median.
const Series& best(const std::vector<const Series*>& series);

/// What a section works with: it measures with `settings` on each number of threads, and appends rows.
struct Run {
  Settings settings;
  std::vector<int> threads;
  std::vector<Row> rows;
  std::vector<std::string> notes;  // one-time costs and whatever else does not fit a row

  /// Shows on standard error what is being measured.
  void progress(const std::string& what) const;
};

}  // namespace bench
