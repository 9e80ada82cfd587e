#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <autograd/atomic_file.hpp>
#include <filesystem>

#include <csignal>
#include <random>

#include "folder.hpp"
#include "nn/processes.hpp"

using namespace xgrad;
namespace fs = std::filesystem;

namespace {

void check_refused(const std::string& path, const char* reason) {
  CHECK_THROWS_WITH_AS(write_file_atomically(path, "new"), doctest::Contains(reason), FileError);
}

/// In a process of a user who is not root, as root may write anywhere.
void check_refused_to_a_user(const std::string& path, const char* reason) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (::geteuid() == 0 && ::setuid(65534) != 0) ::_exit(1);
    try {
      write_file_atomically(path, "new");
    } catch (const FileError& e) {
      ::_exit(std::string(e.what()).find(reason) != std::string::npos ? 7 : 2);
    }
    ::_exit(0);
  }
  int status;
  ::waitpid(child, &status, 0);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 7);
}

}  // namespace

TEST_CASE("a symbolic link and a device are refused, and the system's reasons are given") {
  const Folder folder;
  write_file_atomically(folder / "w", "old");
  fs::create_symlink(folder / "w", folder / "link");
  check_refused(folder / "link", "it is a symbolic link");
  check_refused("/dev/full", "it is not a regular file");
  check_refused(folder / "missing/w", "creating a temporary file beside it: No such file or directory; the file");
  CHECK_THROWS_WITH_AS(read_file("/nonexistent/x", {}),
                       "read_file: cannot read '/nonexistent/x': opening: No such file or directory", FileError);
  CHECK(read_file(folder / "w") == "old");
  CHECK(folder.files() == 2);
}

TEST_CASE("a file keeps its permissions, owner and group when it is replaced, and a new one takes the umask's") {
  const Folder folder;
  const std::string path = folder / "w";
  const auto status = [&] {
    struct stat s {};
    REQUIRE(::stat(path.c_str(), &s) == 0);
    return s;
  };
  const mode_t before = ::umask(027);
  write_file_atomically(path, "new");
  CHECK((status().st_mode & 07777) == 0640);
  ::umask(before);
  for (const mode_t mode : {0600u, 0644u, 0666u, 0770u}) {
    REQUIRE(::chmod(path.c_str(), mode) == 0);
    write_file_atomically(path, "newer");
    CHECK((status().st_mode & 07777) == mode);
  }
  if (::geteuid() != 0 || ::chown(path.c_str(), 65534, 65533) != 0) return;  // only root may give files away
  write_file_atomically(path, "newest");
  CHECK(status().st_uid == 65534);
  CHECK(status().st_gid == 65533);
}

TEST_CASE("a file of another user's that this one may not write is not replaced, though the folder would allow it") {
  const Folder folder;
  write_file_atomically(folder / "w", "old");
  fs::permissions(folder.path, fs::perms(0777));
  if (::geteuid() != 0) return;  // only root can become another user
  check_refused_to_a_user(folder / "w", "it may not be written: Permission denied");
  CHECK(read_file(folder / "w") == "old");
}

TEST_CASE("past the limit on file sizes the old file is intact and no temporary is left") {
  const Folder folder;
  write_file_atomically(folder / "w", "old");
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit limit{2, 2};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    try {
      write_file_atomically(folder / "w", "new");
    } catch (const FileError&) {
      ::_exit(7);
    }
    ::_exit(0);
  }
  int status;
  ::waitpid(child, &status, 0);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 7);
  CHECK(read_file(folder / "w") == "old");
  CHECK(folder.files() == 1);
}

TEST_CASE("a process killed at a random moment in 200 saves leaves the old or a new file whole") {
  const Folder folder;
  const std::string path = folder / "w";
  std::mt19937 random(3);
  for (int round = 0; round < 200; ++round) {
    write_file_atomically(path, std::string(100'000, 'a'));
    const pid_t child = ::fork();
    if (child == 0) {
      for (;;) write_file_atomically(path, std::string(100'000, 'b'));
    }
    ::usleep(static_cast<useconds_t>(random() % 3000));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    const std::string contents = read_file(path);
    REQUIRE(contents.size() == 100'000);
    REQUIRE(contents.find_first_not_of(contents[0]) == std::string::npos);
  }
}

TEST_CASE("of two processes that save at once one wins whole") {
  const Folder folder;
  const std::string path = folder / "w";
  in_two_processes([&](int i) {
    for (int k = 0; k < 50; ++k) write_file_atomically(path, std::string(50'000, static_cast<char>('a' + i)));
  });
  const std::string contents = read_file(path);
  CHECK(contents == std::string(50'000, contents[0]));
  CHECK(folder.files() == 1);
}

TEST_CASE("in a directory that may not be written the old file is intact, and the message says why") {
  const Folder folder;
  write_file_atomically(folder / "w", "old");
  fs::permissions(folder / "w", fs::perms(0666));
  fs::permissions(folder.path, fs::perms(0555));
  check_refused_to_a_user(folder / "w", "Permission denied");
  fs::permissions(folder.path, fs::perms(0755));
  CHECK(read_file(folder / "w") == "old");
  CHECK(folder.files() == 1);
}
