#include <autograd/support/system.hpp>
#include <nn/training/progress.hpp>

#include <algorithm>
#include <cstdio>

namespace xgrad::nn {
namespace {

std::string bar(double share) {
  constexpr int width = 20;
  const int full = share > 0 ? static_cast<int>(std::min(share, 1.) * width) : 0;  // NaN without samples
  return std::string(static_cast<std::size_t>(full), '=') + std::string(static_cast<std::size_t>(width - full), '.');
}

std::string duration(double seconds) {
  char buffer[32];
  if (seconds < 60) {
    std::snprintf(buffer, sizeof buffer, "%.1f s", seconds);
  } else {
    std::snprintf(buffer, sizeof buffer, "%d min %02d s", static_cast<int>(seconds) / 60,
                  static_cast<int>(seconds) % 60);
  }
  return buffer;
}

}  // namespace

Progress::Progress(int epochs, std::int64_t samples_an_epoch)
    : epochs_(epochs), samples_(samples_an_epoch), terminal_(system::stdout_is_terminal()), start_(Clock::now()) {}

std::string Progress::line(int epoch, const Average& loss, const Average& accuracy) const {
  const double elapsed = std::chrono::duration<double>(Clock::now() - start_).count();
  const double seen =
      static_cast<double>(epoch - 1) * static_cast<double>(samples_) + static_cast<double>(loss.samples());
  const double total = static_cast<double>(epochs_) * static_cast<double>(samples_);
  const double rate = elapsed > 0 ? seen / elapsed : 0;
  char buffer[160];
  std::snprintf(buffer, sizeof buffer, "epoch %d/%d  [%s]  loss %.4f  accuracy %.4f  %.0f samples/s  %s left", epoch,
                epochs_, bar(static_cast<double>(loss.samples()) / static_cast<double>(samples_)).c_str(), loss.value(),
                accuracy.value(), rate, duration(rate > 0 ? (total - seen) / rate : 0).c_str());
  return buffer;
}

void Progress::update(int epoch, const Average& loss, const Average& accuracy) {
  if (!terminal_) return;
  const Clock::time_point now = Clock::now();
  if (now - drawn_ < std::chrono::milliseconds(100)) return;
  drawn_ = now;
  std::printf("\r%s\033[K", line(epoch, loss, accuracy).c_str());
  std::fflush(stdout);
}

void Progress::finish(int epoch, const Average& loss, const Average& accuracy, const std::string& remark) {
  std::printf("%s%s%s%s\n", terminal_ ? "\r" : "", line(epoch, loss, accuracy).c_str(), remark.c_str(),
              terminal_ ? "\033[K" : "");
  std::fflush(stdout);
}

}  // namespace xgrad::nn
