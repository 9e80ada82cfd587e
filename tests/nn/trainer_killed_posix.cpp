#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <chrono>
#include <filesystem>
#include <random>
#include <support.hpp>
#include <thread>

#include "folder.hpp"
#include "nn/processes.hpp"
#include "nn/trainer_support.hpp"

using namespace xgrad;

namespace {

nn::Sequential with_dropout() { return small_network(); }
nn::Sequential with_statistics() { return {RunningMean{}, nn::Dense{4, 1}, nn::Sigmoid{}}; }
nn::Sequential with_batch_norm() {
  return {nn::Dense{4, 8}, nn::BatchNorm1d{8}, nn::ReLU{}, nn::Dense{8, 1}, nn::Sigmoid{}};
}

/// A program that is started again and again until its run is over: it goes on from its checkpoint if there is one.
template <class Make>
void program(Make make, double average, const std::filesystem::path& file, const std::filesystem::path& result) {
  manual_seed(7);
  Learner l(make());
  if (std::filesystem::exists(file)) nn::load_checkpoint(file, l.trainer);
  l.trainer.fit(
      blobs(60),
      quiet({.epochs = 12,
             .batch_size = 8,
             .validation = blobs(20),
             .seed = 3,
             .callbacks = {nn::EarlyStopping{{.patience = 12}}, nn::Checkpoints{file, {.every_batches = 2, .keep = 2}}},
             .average = average}));
  StateDict all = l.model.state_dict();
  for (const auto& [name, tensor] : l.optimizer.state_dict()) all.set("optimizer." + name, tensor);
  for (const std::string& name : l.trainer.history().names()) {
    const std::vector<double>& values = l.trainer.history()[name];
    for (std::size_t i = 0; i < values.size(); ++i) all.set(text(name, i), full({}, values[i], {.dtype = f64}));
  }
  nn::save_tensors(result, all);
}

/// Runs `body` in a process of its own, which is killed after this time unless it ends before. Whether it ended.
template <class Body>
bool ends_within(std::chrono::microseconds time, Body body) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    try {
      body();
    } catch (const std::exception& e) {
      std::fprintf(stderr, "%s\n", e.what());
      ::_exit(1);
    }
    ::_exit(0);
  }
  int status = 0;
  const auto end = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < end) {
    if (::waitpid(child, &status, WNOHANG) == child) {
      CHECK(WIFEXITED(status));
      CHECK(WEXITSTATUS(status) == 0);
      return true;
    }
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/// Kills runs at random moments, each of them until it is over, until so many kills have been survived.
template <class Make>
void check_survives(Make make, int kills, double average = 0) {
  const Folder undisturbed;
  const auto started = std::chrono::steady_clock::now();
  const auto run_in = [&](const Folder& folder) {
    return [&make, &folder, average] { program(make, average, folder.path / "run.ckpt", folder.path / "end"); };
  };
  CHECK(ends_within(std::chrono::minutes(5), run_in(undisturbed)));
  const auto whole = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - started);
  const StateDict expected = nn::load_tensors(undisturbed.path / "end");
  std::mt19937_64 random(static_cast<std::uint64_t>(kills));
  std::uniform_int_distribution<std::int64_t> time(0, whole.count() / 6);
  for (int killed = 0; killed < kills;) {
    const Folder disturbed;
    // More time after many kills, so that a machine that has become slow gets on, too.
    while (!ends_within(std::chrono::microseconds(time(random) * (1 + killed / kills)), run_in(disturbed))) ++killed;
    CHECK(same_bits(nn::load_tensors(disturbed.path / "end"), expected));
  }
}

}  // namespace

TEST_CASE("killed at random moments and started again each time, a run ends with the bits of the undisturbed one") {
  const char* const many = std::getenv("XGRAD_KILLS");
  const int kills = many ? std::atoi(many) : 12;
  check_survives(with_dropout, kills);
  check_survives(with_statistics, kills);
  check_survives(with_batch_norm, kills);
  check_survives(with_dropout, kills, 0.9);
}

TEST_CASE("Ctrl-C ends the run after the batch, with everything saved; a second one ends the program") {
  const Folder folder;
  const std::filesystem::path file = folder.path / "run.ckpt";
  const auto options = [&](auto after_batch) {
    nn::FitOptions o{.epochs = 3, .batch_size = 8, .seed = 3};
    o.callbacks = {nn::CallbackHandle(nn::AfterBatch{after_batch}), nn::CallbackHandle(nn::Checkpoints{file})};
    o.progress = false;
    return o;
  };
  ::signal(SIGINT, SIG_DFL);  // the test's framework has an answer of its own
  auto l = learner();
  const nn::History history = l.trainer.fit(blobs(60), options([](nn::Run& run) {
                                              if (run.epoch() == 2 && run.batch() == 3) ::raise(SIGINT);
                                            }));
  CHECK(history.stopped() == "interrupted");
  CHECK(history.size() == 1);
  CHECK(l.optimizer.state_dict()["parameter.0.steps"].item<std::int64_t>() == 8 + 3);
  auto whole = learner(), resumed = learner();
  whole.trainer.fit(blobs(60), quiet({.epochs = 3, .batch_size = 8, .seed = 3}));
  nn::load_checkpoint(file, resumed.trainer);
  resumed.trainer.fit(blobs(60), quiet({.epochs = 3, .batch_size = 8, .seed = 3}));
  CHECK(same_bits(resumed.model.state_dict(), whole.model.state_dict()));

  struct sigaction now;
  ::sigaction(SIGINT, nullptr, &now);
  CHECK((now.sa_handler == SIG_DFL));

  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    auto twice = learner();
    twice.trainer.fit(blobs(60), options([](nn::Run&) {
                        ::raise(SIGINT);
                        ::raise(SIGINT);
                      }));
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGINT);

  // A program that handles it itself is left alone.
  static volatile sig_atomic_t own = 0;
  ::signal(SIGINT, [](int) { own = 1; });
  auto other = learner();
  CHECK(other.trainer.fit(blobs(60), options([](nn::Run&) { ::raise(SIGINT); })).stopped() == "");
  CHECK(own == 1);
  ::sigaction(SIGINT, nullptr, &now);
  CHECK((now.sa_handler != SIG_DFL));
  ::signal(SIGINT, SIG_DFL);
}

TEST_CASE("two writers, and one that runs out of room: nothing that was saved is lost") {
  const Folder folder;
  const std::filesystem::path file = folder.path / "run.ckpt";
  auto l = learner();
  l.trainer.fit(blobs(32), quiet({.callbacks = {nn::Checkpoints{file}}}));
  const auto is_whole = [&] {
    auto other = learner(1);
    nn::load_checkpoint(file, other.trainer);
    return other.trainer.history().size() > 0;
  };
  // Two programs save to one file, and another one may not write that much: it is always one of the two.
  in_two_processes([&](int i) {
    for (int k = 0; k < 20; ++k) {
      if (i == 1 && k == 10) {
        const rlimit limit{1000, 1000};
        if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) ::_exit(1);
      }
      try {
        nn::save_checkpoint(file, l.trainer);
        if (i == 1 && k >= 10) ::_exit(2);
      } catch (const FileError& e) {
        if (i == 0 || k < 10 || std::string(e.what()).find("is intact") == std::string::npos) ::_exit(3);
      }
      if (!is_whole()) ::_exit(4);
    }
  });
  CHECK(is_whole());
  CHECK(folder.files() == 1);
}
