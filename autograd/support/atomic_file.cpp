#include <atomic>
#include <autograd/atomic_file.hpp>
#include <autograd/support/system.hpp>
#include <system_error>

namespace xgrad {
namespace {

namespace fs = std::filesystem;

/// A name that no other save, of this process or another, uses at the same time.
fs::path temporary_name(fs::path path) {
  static std::atomic<unsigned> count{0};
  return path += text(".", system::process_number(), ".", count.fetch_add(1), ".tmp");
}

/// Whether the name was free and the file has been replaced. In a container a killed run and the next have the same
/// process number: what the first left stands in the way.
bool replace_by_way_of(const fs::path& temporary, const fs::path& path, std::string_view contents) {
  try {
    system::replace_file(path, contents, temporary);
    return true;
  } catch (const std::system_error& error) {
    if (error.code() != std::errc::file_exists) throw;
    return false;
  }
}

void check_target(const OpScope& scope, const fs::path& path) {
  std::error_code unknown;  // what cannot be asked for is found out by writing
  const fs::file_status target = fs::symlink_status(path, unknown);
  const bool replaces = fs::exists(target);
  if (replaces && !fs::is_regular_file(target))
    scope.fail<FileError>("cannot write '", path, "': it is ",
                          fs::is_directory(target) ? "a directory"
                          : fs::is_symlink(target) ? "a symbolic link"
                                                   : "not a regular file",
                          "; name a regular file");
  // Renaming does not ask for the right to write to the file, and root may write to everything.
  if (replaces && (target.permissions() & fs::perms(0222)) == fs::perms::none)
    scope.fail<FileError>("cannot write '", path, "': it is read-only; make it writable, or name another file");
}

}  // namespace

void write_file_atomically(const FilePath& name, std::string_view contents, Place place) {
  const OpScope scope("write_file_atomically", place);
  const fs::path path = system::native(name);
  check_target(scope, path);
  try {
    while (!replace_by_way_of(temporary_name(path), path, contents)) {
    }
  } catch (const std::system_error& error) {
    scope.fail<FileError>("cannot write '", path, "': ", error.what(), "; the file that was there is intact");
  }
}

void check_writable(const FilePath& name, Place place) {
  const OpScope scope("check_writable", place);
  const fs::path path = system::native(name);
  check_target(scope, path);
  const fs::path temporary = temporary_name(path);
  try {
    // Replaces a file that no other process knows of.
    system::replace_file(temporary, "", temporary_name(path));
    fs::remove(temporary);
  } catch (const std::system_error& error) {
    scope.fail<FileError>("cannot write '", path, "': ", error.what());
  }
}

std::string read_file(const FilePath& name, Place place) {
  const OpScope scope("read_file", place);
  const fs::path path = system::native(name);
  std::error_code unknown;
  const fs::file_status file = fs::status(path, unknown);
  if (fs::exists(file) && !fs::is_regular_file(file))
    scope.fail<FileError>("cannot read '", path, "': it is not a regular file");
  try {
    return system::read_whole_file(path);
  } catch (const std::system_error& error) {
    scope.fail<FileError>("cannot read '", path, "': ", error.what());
  }
}

}  // namespace xgrad
