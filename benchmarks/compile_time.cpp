#include "sections.hpp"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <stdexcept>

namespace bench {
namespace {

struct Cost {
  double wall, processor, megabytes;  // seconds, user and system seconds, of the largest process
};

double seconds(const timeval& t) { return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec); }

/// Compiles `source`, the headers of its library being in `include_path`.
Cost compile(const std::string& source, const std::string& include_path) {
  const auto start = std::chrono::steady_clock::now();
  const pid_t child = fork();
  if (child == 0) {
    setenv("CPLUS_INCLUDE_PATH", include_path.c_str(), 1);
    execlp(COMPILER, COMPILER, "-std=c++20", "-O2", "-c", source.c_str(), "-o", "/dev/null", nullptr);
    _exit(127);
  }
  int status = 0;
  rusage usage{};
  if (child < 0 || wait4(child, &status, 0, &usage) != child || status != 0)
    throw std::runtime_error(COMPILER " did not compile " + source);
  return {std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(),
          seconds(usage.ru_utime) + seconds(usage.ru_stime), static_cast<double>(usage.ru_maxrss) / 1024};
}

}  // namespace

void compile_time(Run& run) {
  struct Program {
    const char *name, *source, *include_path;
  };
  std::vector<Program> programs = {{"xgrad", XGRAD_PATH "/tests/compile_time/training.cpp", XGRAD_PATH}};
  if (*TORCH_PATH) programs.push_back({"libtorch", XGRAD_PATH "/benchmarks/compiled/training_torch.cpp", TORCH_PATH});
  std::vector<Series> wall, processor, memory;
  for (const Program& p : programs) {
    wall.push_back({p.name, {"s"}});
    processor.push_back({p.name, {"s"}});
    memory.push_back({p.name, {"MB"}});
  }
  // Few, because each takes as long as all blocks of another comparison.
  for (int repetition = 0; repetition < std::max(1, run.settings.blocks / 15); ++repetition) {
    for (std::size_t i = 0; i < programs.size(); ++i) {
      const Cost cost = compile(programs[i].source, programs[i].include_path);
      wall[i].figures.push_back(cost.wall);
      processor[i].figures.push_back(cost.processor);
      memory[i].figures.push_back(cost.megabytes);
    }
  }
  const auto row = [&](const char* name, const std::vector<Series>& series) {
    run.rows.push_back(compare({name, "size", "", 1}, series));
  };
  row("compiling, processor time", processor);
  row("compiling, wall time", wall);
  row("compiling, memory", memory);
}

}  // namespace bench
