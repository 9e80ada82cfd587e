#include <doctest/doctest.h>
#include <autograd/atomic_file.hpp>
#include <autograd/support/system.hpp>
#include <filesystem>

#include <fstream>
#include <thread>

#include "folder.hpp"

using namespace xgrad;
namespace fs = std::filesystem;

namespace {

void check_refused(const std::string& path, const char* reason) {
  CHECK_THROWS_WITH_AS(write_file_atomically(path, "new"), doctest::Contains(reason), FileError);
}

}  // namespace

TEST_CASE("a saved file replaces the old one and leaves nothing else") {
  const Folder folder;
  write_file_atomically(folder / "w", "old");
  write_file_atomically(folder / "w", "new");
  CHECK(read_file(folder / "w") == "new");
  CHECK(folder.files() == 1);
}

TEST_CASE("a directory and a missing directory are refused") {
  const Folder folder;
  fs::create_directory(folder / "dir");
  check_refused(folder / "dir", "it is a directory");
  check_refused(folder / "missing/w", "creating a temporary file beside it: ");
  CHECK(folder.files() == 1);
}

TEST_CASE("a read-only file is not replaced, by root neither, and is once it is made writable") {
  const Folder folder;
  const std::string path = folder / "w";
  write_file_atomically(path, "old");
  fs::permissions(path, fs::perms(0444));
  check_refused(path, "it is read-only; make it writable, or name another file");
  CHECK(read_file(path) == "old");
  CHECK(folder.files() == 1);
  fs::permissions(path, fs::perms(0644));
  write_file_atomically(path, "new");
  CHECK(read_file(path) == "new");
}

TEST_CASE("temporaries that a killed process of the same number left do not stand in the way") {
  const Folder folder;
  for (int i = 0; i < 2000; ++i)
    std::ofstream(text(folder / "w", ".", system::process_number(), ".", i, ".tmp")) << "left";
  write_file_atomically(folder / "w", "new");
  CHECK(read_file(folder / "w") == "new");
  CHECK(folder.files() == 2001);
}

TEST_CASE("of two that save at once one wins whole") {
  const Folder folder;
  const std::string path = folder / "w";
  const auto save = [&](char c) {
    for (int i = 0; i < 50; ++i) write_file_atomically(path, std::string(50'000, c));
  };
  std::thread a(save, 'a'), b(save, 'b');
  a.join();
  b.join();
  const std::string contents = read_file(path);
  CHECK(contents == std::string(50'000, contents[0]));
  CHECK(folder.files() == 1);
}

TEST_CASE("a file that cannot be read is named with the reason") {
  const Folder folder;
  CHECK_THROWS_WITH_AS(read_file(folder / "w"), doctest::Contains("opening: "), FileError);
  CHECK_THROWS_WITH_AS(read_file(folder.path.string()), doctest::Contains("not a regular file"), FileError);
}
