// Runs a compiler three times and holds the cheapest run against limits.
// Usage: measure SECONDS MEGABYTES COMMAND...   (SECONDS of processor time, user and system)
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace {

double seconds(const timeval& t) { return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec); }

/// Processor time of all that this program has run and waited for.
double spent_by_children() {
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

bool run(char** command) {
  const pid_t child = fork();
  if (child == 0) {
    execvp(command[0], command);
    std::perror(command[0]);
    _exit(127);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: %s SECONDS MEGABYTES COMMAND...\n", argv[0]);
    return 2;
  }
  const double limit = std::atof(argv[1]), limit_megabytes = std::atof(argv[2]);
  double best = 1e9;
  for (int i = 0; i < 3; ++i) {
    const double before = spent_by_children();
    if (!run(argv + 3)) return 1;
    best = std::min(best, spent_by_children() - before);
  }
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  const double megabytes = static_cast<double>(usage.ru_maxrss) / 1024;
  std::printf("%.2f s of %.2f allowed, %.0f MB of %.0f allowed\n", best, limit, megabytes, limit_megabytes);
  return best <= limit && megabytes <= limit_megabytes ? 0 : 1;
}
