#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <nn/training/progress.hpp>

#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

using namespace xgrad;

namespace {

/// What body(resize) writes to its standard output, which is a terminal of so many columns until it resizes that.
template <class Body>
std::string on_terminal(unsigned short columns, Body body) {
  const int terminal = ::posix_openpt(O_RDWR | O_NOCTTY);
  REQUIRE(terminal >= 0);
  REQUIRE(::grantpt(terminal) == 0);
  REQUIRE(::unlockpt(terminal) == 0);
  const int inside = ::open(::ptsname(terminal), O_RDWR | O_NOCTTY);
  REQUIRE(inside >= 0);
  const auto resize = [&](unsigned short to) {
    winsize size{};
    size.ws_row = 24, size.ws_col = to;
    ::ioctl(inside, TIOCSWINSZ, &size);
  };
  resize(columns);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(inside, STDOUT_FILENO);
    body(resize);
    ::_exit(0);
  }
  ::close(inside);
  std::string written;
  char buffer[4096];
  for (ssize_t n; (n = ::read(terminal, buffer, sizeof buffer)) > 0;)
    written.append(buffer, static_cast<std::size_t>(n));
  ::close(terminal);
  int status;
  ::waitpid(child, &status, 0);
  CHECK(WIFEXITED(status));
  return written;
}

/// The rows between the cursor's returns to the beginning of the moving line, which clear what is below.
std::vector<std::string> drawn(const std::string& written) {
  std::vector<std::string> rows;
  const std::string begin = "\r\033[J";
  for (auto at = written.find(begin); at != std::string::npos;) {
    const auto next = written.find(begin, at + 1);
    rows.push_back(written.substr(at + begin.size(), next - at - begin.size()));
    at = next;
  }
  return rows;
}

}  // namespace

TEST_CASE("the moving line fits the terminal as it is now, and the cursor waits where the line begins") {
  nn::Scores scores;
  scores.set("loss", 0.5);
  scores.set("accuracy", 0.25);
  const auto again = [&](nn::Progress& progress, std::int64_t samples) {
    std::this_thread::sleep_for(std::chrono::milliseconds(110));  // it is drawn ten times a second at most
    progress.update(1, samples, [&] { return scores; });
  };
  const std::vector<std::string> rows = drawn(on_terminal(60, [&](const auto& resize) {
    nn::Progress progress(2, 100);
    again(progress, 10);
    resize(30);
    again(progress, 20);
    progress.finish(1, scores);
    again(progress, 30);
    progress.leave();
  }));
  REQUIRE(rows.size() == 5);
  CHECK(rows[0].size() <= 60);
  CHECK(rows[0].starts_with("epoch 1/2"));
  CHECK(rows[0].find("loss 0.5000  accuracy 0.2500") != std::string::npos);
  CHECK(rows[1].size() <= 30);
  CHECK(rows[1].starts_with("epoch 1/2 20%"));
  for (const std::string& moving : {rows[0], rows[1], rows[3]}) {
    CHECK(moving.ends_with("\r"));
    CHECK(moving.find('\n') == std::string::npos);
  }
  CHECK(rows[2].starts_with("epoch 1/2\r\n  [====================]\r\n  loss 0.5000\r\n  accuracy 0.2500"));
  CHECK(rows[4] == rows[3].substr(0, rows[3].size() - 1) + "\r\n");  // once more, over the ^C
}
