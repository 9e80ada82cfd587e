#include <autograd/support/system.hpp>
#include <nn/training/clock.hpp>
#include <nn/training/progress.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

namespace xgrad::nn {
namespace {

std::string bar(double share) {
  constexpr int width = 20;
  const int full = share > 0 ? static_cast<int>(std::min(share, 1.) * width) : 0;  // NaN without samples
  return std::string(static_cast<std::size_t>(full), '=') + std::string(static_cast<std::size_t>(width - full), '.');
}

std::string duration(double seconds) {
  char buffer[48];
  if (seconds < 60) {
    std::snprintf(buffer, sizeof buffer, "%.1f s", seconds);
  } else if (seconds < 3600) {
    std::snprintf(buffer, sizeof buffer, "%d min %02d s", static_cast<int>(seconds) / 60,
                  static_cast<int>(seconds) % 60);
  } else {
    std::snprintf(buffer, sizeof buffer, "%.0f h %02d min", std::floor(seconds / 3600),
                  static_cast<int>(std::fmod(seconds, 3600) / 60));
  }
  return buffer;
}

/// Four digits after the point, or as many as a small learning rate needs.
std::string number(double v) {
  char buffer[400];
  std::snprintf(buffer, sizeof buffer,
                v != 0 && std::abs(v) < 0.00995 ? "%.3g"
                : std::abs(v) < 1e6             ? "%.4f"
                                                : "%.4g",
                v);
  return buffer;
}

}  // namespace

std::string detail::progress_line(const Standing& s, const Scores& scores, int columns) {
  const auto most = static_cast<std::size_t>(std::max(columns, 0));
  std::string line = text("epoch ", s.epoch, "/", s.epochs), left, rate;
  if (s.seconds_left >= 0) left = text("  ", duration(s.seconds_left), " left");
  if (s.rate > 0) {
    char buffer[48];
    std::snprintf(buffer, sizeof buffer, "  %.0f samples/s", s.rate);
    rate = buffer;
  }
  std::string values;
  std::vector<std::size_t> ends = {0};
  for (const auto& [name, value] : scores) {
    values += text("  ", name, " ", number(value));
    ends.push_back(values.size());
  }
  const std::string drawn = text("  [", bar(s.share), "]");
  if (line.size() + drawn.size() + values.size() + rate.size() + left.size() <= most)
    return line + drawn + values + rate + left;
  if (line.size() + values.size() + rate.size() + left.size() <= most) return line + values + rate + left;
  char percent[16] = "";
  if (s.share >= 0) std::snprintf(percent, sizeof percent, " %.0f%%", 100 * std::min(s.share, 1.));
  line += percent;
  while (ends.size() > 1 && line.size() + ends.back() + left.size() > most) ends.pop_back();
  line += values.substr(0, ends.back());
  if (line.size() + left.size() <= most) line += left;
  return line.substr(0, most);
}

std::string detail::broken(std::string_view line, int columns) {
  std::string rows;
  std::size_t used = 0;
  for (std::size_t at = 0; at < line.size();) {
    const std::size_t gap = std::min(line.find("  ", at), line.size());
    const std::string_view part = line.substr(at, gap - at);
    const bool breaks = at > 0 && used + 2 + part.size() > static_cast<std::size_t>(std::max(columns, 0));
    if (at > 0) rows += breaks ? "\n  " : "  ";
    rows += part;
    used = (breaks ? 0 : used) + (at > 0 ? 2 : 0) + part.size();
    at = std::min(gap + 2, line.size());
  }
  return rows;
}

Progress::Progress(int epochs, std::int64_t samples_an_epoch)
    : epochs_(epochs),
      samples_(samples_an_epoch),
      terminal_(system::stdout_is_terminal()),
      start_(detail::steady_seconds()) {}

bool Progress::is_due() {
  if (!terminal_) return false;
  const double now = detail::steady_seconds();
  if (now - drawn_ < 0.1) return false;
  drawn_ = now;
  return true;
}

void Progress::draw(int epoch, std::int64_t samples, const Scores& scores) {
  const std::int64_t seen = (epoch - 1) * samples_ + samples;
  if (first_ < 0) first_ = seen;  // a run that goes on has done these before
  const double elapsed = detail::steady_seconds() - start_;
  const double rate = elapsed > 0 ? static_cast<double>(seen - first_) / elapsed : 0;
  const double left = static_cast<double>(epochs_ * samples_ - seen);
  const detail::Standing standing{epoch, epochs_, static_cast<double>(samples) / static_cast<double>(samples_), rate,
                                  rate > 0 ? left / rate : -1};
  // One column stays free: where a letter fills the last one, some terminals go to the next line.
  line_ = detail::progress_line(standing, scores, system::terminal_columns() - 1);
  draw_line();
  std::printf("\r");
  std::fflush(stdout);
}

/// The cursor waits where the line begins. If the terminal is made narrower, and breaks the line into several, they are
/// all below it, and are cleared.
void Progress::draw_line() const { std::printf("\r\033[J%s", line_.c_str()); }

void Progress::leave() {
  if (line_.empty()) return;
  draw_line();  // Ctrl-C has written over it
  line_.clear();
  std::printf("\n");
  std::fflush(stdout);
}

void Progress::finish(int epoch, const Scores& scores, const std::string& remark) {
  const std::int64_t seen = epoch * samples_;
  const double elapsed = detail::steady_seconds() - start_;
  const double rate = elapsed > 0 ? static_cast<double>(seen - std::max<std::int64_t>(first_, 0)) / elapsed : 0;
  const double left = static_cast<double>((epochs_ - epoch) * samples_);
  const detail::Standing standing{epoch, epochs_, 1, rate, rate > 0 && left > 0 ? left / rate : -1};
  const std::string line = detail::progress_line(standing, scores, std::numeric_limits<int>::max()) + remark;
  if (terminal_) {
    std::printf("\r\033[J%s\n", detail::broken(line, system::terminal_columns() - 1).c_str());
  } else {
    std::printf("%s\n", line.c_str());
  }
  line_.clear();
  std::fflush(stdout);
}

}  // namespace xgrad::nn
