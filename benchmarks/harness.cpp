#include "harness.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>

namespace bench {
namespace {

double seconds_of(const Competitor& c, std::int64_t calls) {
  const auto start = std::chrono::steady_clock::now();
  c.run(calls);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Runs the warm-up, and says how many calls fill a block. Calls double until a measurement is long enough to count.
std::int64_t warm_up(const Competitor& c, const Settings& s) {
  if (c.prepare) c.prepare();
  double total = 0, last = 0;
  std::int64_t done = 0, calls = 1;
  for (;;) {
    last = seconds_of(c, calls);
    total += last;
    done += calls;
    const bool measured = last >= s.block_seconds / 4;
    if (measured && (done >= s.warm_up || total >= s.warm_up_seconds)) break;
    if (!measured) calls *= 2;
  }
  const double wanted = s.block_seconds / (last / static_cast<double>(calls));
  return std::max<std::int64_t>(1, std::llround(wanted));
}

double quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  const double at = q * static_cast<double>(values.size() - 1);
  const std::size_t below = static_cast<std::size_t>(at), above = std::min(below + 1, values.size() - 1);
  return values[below] + (at - static_cast<double>(below)) * (values[above] - values[below]);
}

}  // namespace

Settings shortened(Settings settings) {
  settings.warm_up = std::min(settings.warm_up, 10);
  settings.warm_up_seconds = std::min(settings.warm_up_seconds, 0.05);
  settings.blocks = std::min(settings.blocks, 15);
  settings.block_seconds = std::min(settings.block_seconds, 0.01);
  return settings;
}

double Series::median() const { return quantile(figures, 0.5); }

std::vector<Series> measure(const std::vector<Competitor>& competitors, const Settings& settings) {
  std::vector<Series> series;
  std::vector<std::int64_t> calls;
  for (const Competitor& c : competitors) {
    series.push_back({c.name, c.unit, c.limit || c.unit.rate});
    calls.push_back(warm_up(c, settings));
  }
  for (int block = 0; block < settings.blocks; ++block) {
    for (std::size_t i = 0; i < competitors.size(); ++i) {
      const Competitor& c = competitors[i];
      if (c.prepare) c.prepare();
      c.run(std::max<std::int64_t>(1, calls[i] / 20));  // back into the caches, and off with idle threads' last spins
      series[i].figures.push_back(c.unit(seconds_of(c, calls[i]) / static_cast<double>(calls[i])));
    }
  }
  return series;
}

Row compare(const Label& label, const Series& ours, const Series& peer) {
  const auto better = [&](double a, double b) { return ours.unit.rate ? a / b : b / a; };
  std::vector<double> ratios;
  for (std::size_t i = 0; i < ours.figures.size(); ++i) ratios.push_back(better(ours.figures[i], peer.figures[i]));
  Row row = compare(label, {ours});
  row.against = peer.name;
  row.limit = peer.limit;
  row.peer = peer.median();
  row.ratio = better(row.ours, row.peer);
  row.low = quantile(ratios, 0.25);
  row.high = quantile(ratios, 0.75);
  return row;
}

Row compare(const Label& label, const std::vector<Series>& series) {
  if (series.size() > 1) return compare(label, series[0], series[1]);
  const Unit& unit = series[0].unit;
  Row row{label.name, label.size_name, label.size, label.threads, "", unit.name};
  row.ours = series[0].median();
  return row;
}

const Series& best(const std::vector<const Series*>& series) {
  return **std::min_element(series.begin(), series.end(), [](const Series* a, const Series* b) {
    return a->unit.rate ? a->median() > b->median() : a->median() < b->median();
  });
}

void Run::progress(const std::string& what) const { std::fprintf(stderr, "  %s\n", what.c_str()); }

}  // namespace bench
