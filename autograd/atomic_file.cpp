#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <autograd/atomic_file.hpp>

#include <atomic>
#include <cerrno>
#include <cstring>

namespace xgrad {
namespace {

/// A file descriptor that closes itself.
struct Descriptor {
  int fd;
  explicit Descriptor(int opened) : fd(opened) {}
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int close() {
    const int closing = fd;
    fd = -1;
    return ::close(closing);
  }
};

/// A file that is gone at the end of the scope unless it was renamed.
struct Temporary {
  std::filesystem::path path;
  bool kept = false;
  ~Temporary() {
    if (!kept) ::unlink(path.c_str());
  }
};

std::filesystem::path directory_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : ".";
}

/// Owner, group and mode as the file had that is replaced. Who may not give it that group lets nobody in by a group.
void keep_permissions(int fd, const struct stat& of) {
  mode_t mode = of.st_mode & 0777;
  if (::fchown(fd, static_cast<uid_t>(-1), of.st_gid) != 0) mode &= ~mode_t{070};
  [[maybe_unused]] const int given = ::fchown(fd, of.st_uid, static_cast<gid_t>(-1));  // only root may
  ::fchmod(fd, mode);
}

/// A name that no other save, of this process or another, uses at the same time.
std::filesystem::path temporary_name(std::filesystem::path path) {
  static std::atomic<unsigned> count{0};
  return path += text(".", ::getpid(), ".", count.fetch_add(1), ".tmp");
}

}  // namespace

void write_file_atomically(const std::filesystem::path& path, std::string_view contents, Place place) {
  const OpScope scope("write_file_atomically", place);
  const auto failed = [&](const char* doing) {
    scope.fail<FileError>("cannot write '", path, "': ", doing, ": ", std::strerror(errno),
                          "; the file that was there is intact");
  };
  struct stat target;
  const bool replaces = ::lstat(path.c_str(), &target) == 0;
  if (replaces && !S_ISREG(target.st_mode))
    scope.fail<FileError>("cannot write '", path, "': it is ",
                          S_ISDIR(target.st_mode)   ? "a directory"
                          : S_ISLNK(target.st_mode) ? "a symbolic link"
                                                    : "not a regular file",
                          "; name a regular file");
  // Renaming asks for the right to write to the directory only, and root may write to everything.
  if (replaces && (target.st_mode & 0222) == 0)
    scope.fail<FileError>("cannot write '", path, "': it is read-only; make it writable, or name another file");
  if (replaces && ::access(path.c_str(), W_OK) != 0) failed("it may not be written");
  // Asked beforehand, because a write past the limit is answered by a signal that ends the process.
  rlimit limit;
  if (::getrlimit(RLIMIT_FSIZE, &limit) == 0 && contents.size() > limit.rlim_cur) {
    errno = EFBIG;
    failed("the process may not write so many bytes");
  }
  Temporary temporary{temporary_name(path)};
  const auto create = [&] { return ::open(temporary.path.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0666); };
  int fd = create();
  // In a container a killed run and the next have the same process number: what the first left stands in the way.
  while (fd < 0 && errno == EEXIST) {
    temporary.path = temporary_name(path);
    fd = create();
  }
  Descriptor file(fd);
  if (file.fd < 0) {
    temporary.kept = true;
    failed("creating a temporary file beside it");
  }
  if (replaces) keep_permissions(file.fd, target);
  while (!contents.empty()) {
    const ssize_t n = ::write(file.fd, contents.data(), contents.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) failed("writing");
    contents.remove_prefix(static_cast<std::size_t>(n));
  }
  if (::fsync(file.fd) != 0) failed("syncing");
  if (file.close() != 0) failed("closing");
  if (::rename(temporary.path.c_str(), path.c_str()) != 0) failed("renaming");
  temporary.kept = true;
  // The new file is complete; syncing the directory makes its name outlive a power cut, where the system can do that.
  Descriptor directory(::open(directory_of(path).c_str(), O_RDONLY | O_DIRECTORY));
  if (directory.fd >= 0) ::fsync(directory.fd);
}

std::string read_file(const std::filesystem::path& path, Place place) {
  const OpScope scope("read_file", place);
  const auto failed = [&](const char* doing) {
    scope.fail<FileError>("cannot read '", path, "': ", doing, ": ", std::strerror(errno));
  };
  Descriptor file(::open(path.c_str(), O_RDONLY));
  if (file.fd < 0) failed("opening");
  struct stat status;
  if (::fstat(file.fd, &status) != 0) failed("asking for its size");
  if (!S_ISREG(status.st_mode)) scope.fail<FileError>("cannot read '", path, "': it is not a regular file");
  std::string contents(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t done = 0;
  while (done < contents.size()) {
    const ssize_t n = ::read(file.fd, contents.data() + done, contents.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) failed("reading");
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  contents.resize(done);
  return contents;
}

}  // namespace xgrad
