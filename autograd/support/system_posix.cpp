// What only the operating system can do, on Linux, macOS and other POSIX systems.
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <autograd/support/system.hpp>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <mutex>
#include <system_error>
#ifdef __linux__
#include <sys/mman.h>
#endif

namespace xgrad::system {
namespace {

[[noreturn]] void fail(const char* doing, int error = errno) {
  throw std::system_error(error, std::generic_category(), doing);
}

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
  const std::filesystem::path& path;
  bool kept = false;
  ~Temporary() {
    if (!kept) ::unlink(path.c_str());
  }
};

/// Owner, group and mode as the file had that is replaced. Who may not give it that group lets nobody in by a group.
void keep_permissions(int fd, const struct stat& of) {
  mode_t mode = of.st_mode & 0777;
  if (::fchown(fd, static_cast<uid_t>(-1), of.st_gid) != 0) mode &= ~mode_t{070};
  [[maybe_unused]] const int given = ::fchown(fd, of.st_uid, static_cast<gid_t>(-1));  // only root may
  ::fchmod(fd, mode);
}

}  // namespace

void* allocate_aligned(std::size_t alignment, std::size_t bytes) noexcept {
  void* block = nullptr;
  return ::posix_memalign(&block, alignment, bytes) == 0 ? block : nullptr;
}

void free_aligned(void* block) noexcept { std::free(block); }

void prefer_huge_pages([[maybe_unused]] void* block, [[maybe_unused]] std::size_t bytes) noexcept {
#ifdef __linux__
  ::madvise(block, bytes, MADV_HUGEPAGE);
#endif
}

std::size_t last_cache_bytes() {
#ifdef _SC_LEVEL3_CACHE_SIZE
  if (const long bytes = ::sysconf(_SC_LEVEL3_CACHE_SIZE); bytes > 0) return static_cast<std::size_t>(bytes);
#endif
  return 0;
}

std::uintptr_t stack_begin() {
#ifdef __APPLE__
  const pthread_t self = ::pthread_self();
  return reinterpret_cast<std::uintptr_t>(::pthread_get_stackaddr_np(self)) - ::pthread_get_stacksize_np(self);
#else
  pthread_attr_t attributes;
  void* begin = nullptr;
  std::size_t bytes;
  if (::pthread_getattr_np(::pthread_self(), &attributes) == 0) {
    ::pthread_attr_getstack(&attributes, &begin, &bytes);
    ::pthread_attr_destroy(&attributes);
  }
  return reinterpret_cast<std::uintptr_t>(begin);
#endif
}

bool stdout_is_terminal() { return ::isatty(STDOUT_FILENO) != 0; }

int terminal_columns() {
  winsize size;
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

namespace {

std::atomic<bool> interrupt_came{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may write it");
std::mutex interrupt_lock;
int interrupt_users = 0;  // under the lock

/// The system has put its own answer back when this runs (SA_RESETHAND): the next Ctrl-C ends the process.
void note_interrupt(int) { interrupt_came.store(true, std::memory_order_relaxed); }

}  // namespace

bool notice_interrupts() {
  const std::lock_guard lock(interrupt_lock);
  if (interrupt_users == 0) {
    struct sigaction before;
    if (::sigaction(SIGINT, nullptr, &before) != 0 || (before.sa_flags & SA_SIGINFO) || before.sa_handler != SIG_DFL)
      return false;
    struct sigaction note = {};
    note.sa_handler = note_interrupt;
    note.sa_flags = static_cast<int>(SA_RESTART | SA_RESETHAND);
    interrupt_came.store(false, std::memory_order_relaxed);
    if (::sigaction(SIGINT, &note, nullptr) != 0) return false;
  }
  ++interrupt_users;
  return true;
}

void forget_interrupts() {
  const std::lock_guard lock(interrupt_lock);
  if (--interrupt_users > 0) return;
  struct sigaction now;
  if (::sigaction(SIGINT, nullptr, &now) == 0 && !(now.sa_flags & SA_SIGINFO) && now.sa_handler == note_interrupt)
    ::signal(SIGINT, SIG_DFL);
}

bool interrupted() { return interrupt_came.load(std::memory_order_relaxed); }

void* find_function(const char* name) { return ::dlsym(RTLD_DEFAULT, name); }
void* load_library(const char* name) { return ::dlopen(name, RTLD_NOW | RTLD_LOCAL); }
void* find_function(void* library, const char* name) { return ::dlsym(library, name); }

std::uint64_t process_number() { return static_cast<std::uint64_t>(::getpid()); }

void around_fork(void (*before)(), void (*in_parent)(), void (*in_child)()) {
  ::pthread_atfork(before, in_parent, in_child);
}

void replace_file(const std::filesystem::path& path, std::string_view contents,
                  const std::filesystem::path& temporary) {
  struct stat target;
  const bool replaces = ::lstat(path.c_str(), &target) == 0;
  // Renaming asks for the right to write to the directory only.
  if (replaces && ::access(path.c_str(), W_OK) != 0) fail("it may not be written");
  // Asked beforehand, because a write past the limit is answered by a signal that ends the process.
  rlimit limit;
  if (::getrlimit(RLIMIT_FSIZE, &limit) == 0 && contents.size() > limit.rlim_cur)
    fail("the process may not write so many bytes", EFBIG);
  Descriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0666));
  if (file.fd < 0) fail("creating a temporary file beside it");
  Temporary written{temporary};
  if (replaces) keep_permissions(file.fd, target);
  while (!contents.empty()) {
    const ssize_t n = ::write(file.fd, contents.data(), contents.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("writing");
    contents.remove_prefix(static_cast<std::size_t>(n));
  }
  if (::fsync(file.fd) != 0) fail("syncing");
  if (file.close() != 0) fail("closing");
  if (::rename(temporary.c_str(), path.c_str()) != 0) fail("renaming");
  written.kept = true;
  // The new file is complete; syncing the directory makes its name outlive a power cut, where the system can do that.
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  Descriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY));
  if (directory.fd >= 0) ::fsync(directory.fd);
}

std::string read_whole_file(const std::filesystem::path& path) {
  Descriptor file(::open(path.c_str(), O_RDONLY));
  if (file.fd < 0) fail("opening");
  struct stat status;
  if (::fstat(file.fd, &status) != 0) fail("asking for its size");
  std::string contents(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t done = 0;
  while (done < contents.size()) {
    const ssize_t n = ::read(file.fd, contents.data() + done, contents.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("reading");
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  contents.resize(done);
  return contents;
}

}  // namespace xgrad::system
