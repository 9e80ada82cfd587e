#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include <autograd/kernels/pieces.hpp>
#include <stdexcept>
#include <thread>

#include "sections.hpp"
#include "training.hpp"

/// The default number of threads beside one, on an idle machine and beside processes that take its processors away.
namespace bench {
namespace {

/// Processes that compute without end, while this lives.
class BusyProcesses {
 public:
  explicit BusyProcesses(int count) {
    const pid_t parent = ::getpid();
    for (int i = 0; i < count; ++i) {
      const pid_t child = ::fork();
      if (child < 0) throw std::runtime_error("a busy process cannot be started");
      if (child == 0) {
        while (::getppid() == parent)
          for (int k = 0; k < 10'000'000; ++k) asm volatile("");
        ::_exit(0);
      }
      children_.push_back(child);
    }
  }
  ~BusyProcesses() {
    for (const pid_t child : children_) {
      ::kill(child, SIGKILL);
      ::waitpid(child, nullptr, 0);
    }
  }
  BusyProcesses(const BusyProcesses&) = delete;
  BusyProcesses& operator=(const BusyProcesses&) = delete;

 private:
  std::vector<pid_t> children_;
};

Row beside_one_thread(const Run& run, Label label, MakeTrainer make, const Task& task) {
  run.progress(label.name + ", " + label.size_name + " " + label.size);
  const auto trainer = make(task);
  const auto competitor = [&](const char* name, int threads) {
    return Competitor{name, repeat([&] { trainer->step(); }), microseconds(), [threads] { set_threads(threads); }};
  };
  const auto series =
      measure({competitor("default threads", label.threads), competitor("one thread", 1)}, run.settings);
  set_threads(1);
  return compare(label, series[0], series[1]);
}

}  // namespace

void threads(Run& run) {
  xgrad::kernels::set_threads(0);
  const int all = xgrad::kernels::threads();
  set_threads(1);
  const Task wide = make_task({784, 256, 10}, 256, 0);
  for (const int busy : {0, 1, 2}) {
    const BusyProcesses load(busy);
    run.rows.push_back(beside_one_thread(run,
                                         {"784-256-10 step, batch 256", "busy processes", std::to_string(busy), all},
                                         xgrad_classifier.eager, wide));
  }
  for (const std::int64_t batch : {128, 1024}) {
    const Task task = make_task({784, 64, 32, 1}, batch, 0.2);
    run.rows.push_back(beside_one_thread(run,
                                         {"reference network, gain of threads", "batch", std::to_string(batch), all},
                                         xgrad_reference_network.eager, task));
  }
}

}  // namespace bench
