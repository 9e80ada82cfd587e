// Measures xgrad beside other programs that do the same work; see benchmarks/harness.hpp for how, scripts/bench.sh for
// the one command that builds and runs it.
#include "report.hpp"
#include "sections.hpp"

#include <malloc.h>
#include <CLI/CLI.hpp>
#include <autograd/threads.hpp>
#include <cstdio>
#include <fstream>
#include <thread>

namespace {

struct Section {
  const char* name;
  const char* what;
  void (*measure)(bench::Run&);
};
// Compiling comes first: a process that is started counts the largest size of the one that started it as its own. What
// the engine costs comes before anything that starts threads, as libtorch's libraries do when they are loaded: a
// program that trains on one thread has no others, and need not lock the counts of what holds a tensor.
constexpr Section sections[] = {
    {"compile", "time and memory to compile the reference program", bench::compile_time},
    {"engine", "training step of the reference network beside one without an engine", bench::engine},
    {"step", "training step of the reference network", bench::reference_network},
    {"classifier", "training step of 784-128-10 with softmax cross-entropy", bench::classifier},
    {"lenet", "training step of LeNet-5 on images of 28 x 28", bench::lenet},
    {"sequences", "training steps of an LSTM and of a transformer", bench::sequences},
    {"converged", "training step of 784-2048-2048-10 whose gradients are subnormal", bench::converged},
    {"small", "chains of 1000 small ops, forward and backward", bench::small_ops},
    {"kernels", "ops on large arrays beside copying memory", bench::kernels_beside_copies},
    {"functions", "transcendental functions in cache beside raw loops of xsimd", bench::functions_in_cache},
    {"gemm", "matrix products beside the peak of multiply-add", bench::matrix_products},
    {"threads", "the default number of threads beside one, on idle and on busy processors", bench::threads},
};

void write(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) throw std::runtime_error(path + " cannot be written");
}

}  // namespace

int main(int argc, char** argv) try {
  // A peer that takes its arrays from malloc is spared the return of every larger one to the system: left as it is,
  // libc may make libtorch's small steps take twice as long, depending on what else the program has allocated.
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);

  std::vector<std::string> names, only;
  std::string list;
  for (const Section& s : sections) {
    names.push_back(s.name);
    list += std::string(list.empty() ? "" : ", ") + s.name + " (" + s.what + ")";
  }
  std::string json_file = "bench.json", svg_file = "bench.svg", kernels_svg_file = "bench_kernels.svg";
  bench::Run run;
  run.threads = {1};
  if (std::thread::hardware_concurrency() > 1) run.threads.push_back(2);
  bool quick = false;

  CLI::App app("Measures xgrad beside libtorch and hand-written code, in one run.");
  app.failure_message(CLI::FailureMessage::help);
  app.add_option("--only", only, "sections to run: " + list)->check(CLI::IsMember(names))->delimiter(',');
  app.add_option("--threads", run.threads, "numbers of threads (default: 1 and, with more than one core, 2)")
      ->check(CLI::Range(1, 1024))
      ->delimiter(',');
  app.add_flag("--quick", quick, "so few calls that the figures mean nothing: shows that everything runs");
  app.add_option("--json", json_file, "file for the rows, as JSON")->capture_default_str();
  app.add_option("--svg", svg_file, "file for the picture of the ratios")->capture_default_str();
  app.add_option("--kernels-svg", kernels_svg_file, "file for the picture of the shares of bandwidth and arithmetic")
      ->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  if (quick) run.settings = {.warm_up = 2, .warm_up_seconds = 0, .blocks = 2, .block_seconds = 0};

  for (const Section& s : sections) {
    if (!only.empty() && std::find(only.begin(), only.end(), s.name) == only.end()) continue;
    std::fprintf(stderr, "%s: %s\n", s.name, s.what);
    s.measure(run);
  }
  bench::group(run.rows);
  const bench::Machine machine = bench::describe_machine();
  std::printf("%s", bench::table(machine, run.rows, run.notes).c_str());
  write(json_file, bench::json(run.rows));
  // Shares of what a processor can do are many; they have a picture of their own.
  std::vector<bench::Row> programs, kernels;
  for (const bench::Row& row : run.rows) (row.unit.ends_with("/s") ? kernels : programs).push_back(row);
  if (!programs.empty()) write(svg_file, bench::picture(machine, programs));
  if (!kernels.empty()) write(kernels_svg_file, bench::picture(machine, kernels));
} catch (const std::exception& e) {
  std::fprintf(stderr, "bench: %s\n", e.what());
  return 1;
}
