// Compiles a source and a reference in turn, and holds the cheapest run of the one against that of the other: seconds
// alone would tell more of the machine, and of who else uses it.
// Usage: measure RATIO MEGABYTES REFERENCE COMMAND... SOURCE   (RATIO of processor time, user and system)
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace {

double seconds(const timeval& t) { return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec); }

/// Processor time of all that this program has run and waited for.
double spent_by_children() {
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// The processor time of a command; ends this program if it fails.
double cost(char** command) {
  const double before = spent_by_children();
  const pid_t child = fork();
  if (child == 0) {
    execvp(command[0], command);
    std::perror(command[0]);
    _exit(127);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) std::exit(1);
  return spent_by_children() - before;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6) {
    std::fprintf(stderr, "usage: %s RATIO MEGABYTES REFERENCE COMMAND... SOURCE\n", argv[0]);
    return 2;
  }
  const double limit = std::atof(argv[1]), limit_megabytes = std::atof(argv[2]);
  double ours = 1e9, others = 1e9;
  // Others on the machine may disturb one of the two: what is too much is measured again.
  for (int i = 0; i < 9 && (i < 3 || ours > limit * others); ++i) {
    ours = std::min(ours, cost(argv + 4));
    std::swap(argv[3], argv[argc - 1]);
    others = std::min(others, cost(argv + 4));
    std::swap(argv[3], argv[argc - 1]);
  }
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  const double megabytes = static_cast<double>(usage.ru_maxrss) / 1024;
  std::printf("%.2f s, %.2f of %.2f allowed times the %.2f s of the reference; %.0f MB of %.0f allowed\n", ours,
              ours / others, limit, others, megabytes, limit_megabytes);
  return ours <= limit * others && megabytes <= limit_megabytes ? 0 : 1;
}
