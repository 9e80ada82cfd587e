#define WIN32_LEAN_AND_MEAN
#define NOMINMAX
#include <cxxabi.h>
#include <malloc.h>
#include <windows.h>
#include <algorithm>
#include <atomic>
#include <autograd/support/system.hpp>
#include <autograd/support/system_math.hpp>
#include <csignal>
#include <mutex>
#include <system_error>
#include <utility>
#include <vector>

extern "C" void* __dso_handle;

// What only the operating system can do, on Windows.
namespace xgrad::system {
namespace {

/// MinGW's runtime ends what a thread has of its own in the order in which it first had to end anything in the program:
/// by this, destructors before the memory that they destroy.
[[gnu::constructor(101)]] void end_destructors_first() {
  abi::__cxa_thread_atexit([](void*) {}, nullptr, &__dso_handle);
}

[[noreturn]] void fail(const char* doing, DWORD error = ::GetLastError()) {
  throw std::system_error(static_cast<int>(error), std::system_category(), doing);
}

/// An open file that closes itself.
struct File {
  HANDLE handle;
  explicit File(HANDLE opened) : handle(opened) {}
  ~File() { close(); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  bool close() {
    const HANDLE closing = std::exchange(handle, INVALID_HANDLE_VALUE);
    return closing == INVALID_HANDLE_VALUE || ::CloseHandle(closing) != 0;
  }
};

using Function = double(double);
Function* windows_own(const char* name) {
  return reinterpret_cast<Function*>(reinterpret_cast<void*>(::GetProcAddress(::LoadLibraryW(L"msvcrt.dll"), name)));
}

constexpr std::size_t most_at_once = std::size_t{1} << 30;

void write_through(const std::filesystem::path& path, std::string_view contents) {
  File file(::CreateFileW(path.c_str(), GENERIC_WRITE, 0, nullptr, CREATE_NEW, FILE_ATTRIBUTE_NORMAL, nullptr));
  if (file.handle == INVALID_HANDLE_VALUE) fail("creating a temporary file beside it");
  try {
    while (!contents.empty()) {
      DWORD n = 0;
      const auto asked = static_cast<DWORD>(std::min(contents.size(), most_at_once));
      if (!::WriteFile(file.handle, contents.data(), asked, &n, nullptr)) fail("writing");
      contents.remove_prefix(n);
    }
    if (!::FlushFileBuffers(file.handle)) fail("syncing");
    if (!file.close()) fail("closing");
  } catch (...) {
    file.close();
    ::DeleteFileW(path.c_str());
    throw;
  }
}

}  // namespace

void* allocate_aligned(std::size_t alignment, std::size_t bytes) noexcept {
  return ::_aligned_malloc(bytes, alignment);
}
void free_aligned(void* block) noexcept { ::_aligned_free(block); }
void prefer_huge_pages(void*, std::size_t) noexcept {}  // they take a right that users do not have

std::size_t last_cache_bytes() {
  DWORD bytes = 0;
  ::GetLogicalProcessorInformation(nullptr, &bytes);
  std::vector<SYSTEM_LOGICAL_PROCESSOR_INFORMATION> parts(bytes / sizeof(SYSTEM_LOGICAL_PROCESSOR_INFORMATION));
  if (parts.empty() || !::GetLogicalProcessorInformation(parts.data(), &bytes)) return 0;
  std::size_t size = 0;
  for (const auto& part : parts)
    if (part.Relationship == RelationCache && part.Cache.Level == 3)
      size = std::max<std::size_t>(size, part.Cache.Size);
  return size;
}

std::uintptr_t stack_begin() {
  ULONG_PTR begin = 0, end = 0;
  ::GetCurrentThreadStackLimits(&begin, &end);
  return begin;
}

bool stdout_is_terminal() {
  const HANDLE out = ::GetStdHandle(STD_OUTPUT_HANDLE);
  DWORD mode = 0;
  return ::GetConsoleMode(out, &mode) && ::SetConsoleMode(out, mode | ENABLE_VIRTUAL_TERMINAL_PROCESSING);
}

int terminal_columns() {
  CONSOLE_SCREEN_BUFFER_INFO info;
  if (!::GetConsoleScreenBufferInfo(::GetStdHandle(STD_OUTPUT_HANDLE), &info)) return 80;
  return info.srWindow.Right - info.srWindow.Left + 1;
}

namespace {

std::atomic<bool> interrupt_came{false};
std::mutex interrupt_lock;
int interrupt_users = 0;  // under the lock

/// The runtime has put its own answer back when this runs: the next Ctrl-C ends the process.
void note_interrupt(int) { interrupt_came.store(true, std::memory_order_relaxed); }

}  // namespace

bool notice_interrupts() {
  const std::lock_guard lock(interrupt_lock);
  if (interrupt_users == 0) {
    interrupt_came.store(false, std::memory_order_relaxed);
    const auto before = std::signal(SIGINT, note_interrupt);
    if (before != SIG_DFL) {
      std::signal(SIGINT, before);
      return false;
    }
  }
  ++interrupt_users;
  return true;
}

void forget_interrupts() {
  const std::lock_guard lock(interrupt_lock);
  if (--interrupt_users > 0) return;
  const auto now = std::signal(SIGINT, SIG_DFL);
  if (now != note_interrupt && now != SIG_DFL) std::signal(SIGINT, now);
}

bool interrupted() { return interrupt_came.load(std::memory_order_relaxed); }

void* find_function(const char*) { return nullptr; }  // the system searches one named library only
void* load_library(const char* name) { return ::LoadLibraryA(name); }
void* find_function(void* library, const char* name) {
  return reinterpret_cast<void*>(::GetProcAddress(static_cast<HMODULE>(library), name));
}
double sin(double x) {
  static Function* const own = windows_own("sin");
  return own(x);
}
double cos(double x) {
  static Function* const own = windows_own("cos");
  return own(x);
}

std::uint64_t process_number() { return ::GetCurrentProcessId(); }
void around_fork(void (*)(), void (*)(), void (*)()) {}

void replace_file(const std::filesystem::path& path, std::string_view contents,
                  const std::filesystem::path& temporary) {
  write_through(temporary, contents);
  // Another save, a virus scanner or an indexer may have the old file open for a moment.
  for (DWORD wait = 1;
       !::MoveFileExW(temporary.c_str(), path.c_str(), MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH); wait *= 2) {
    const DWORD error = ::GetLastError();
    if ((error != ERROR_ACCESS_DENIED && error != ERROR_SHARING_VIOLATION) || wait > 500) {
      ::DeleteFileW(temporary.c_str());
      fail("renaming", error);
    }
    ::Sleep(wait);
  }
}

std::string read_whole_file(const std::filesystem::path& path) {
  constexpr DWORD share = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
  File file(::CreateFileW(path.c_str(), GENERIC_READ, share, nullptr, OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, nullptr));
  if (file.handle == INVALID_HANDLE_VALUE) fail("opening");
  LARGE_INTEGER size;
  if (!::GetFileSizeEx(file.handle, &size)) fail("asking for its size");
  std::string contents(static_cast<std::size_t>(size.QuadPart), '\0');
  std::size_t done = 0;
  while (done < contents.size()) {
    DWORD n = 0;
    const auto asked = static_cast<DWORD>(std::min(contents.size() - done, most_at_once));
    if (!::ReadFile(file.handle, contents.data() + done, asked, &n, nullptr)) fail("reading");
    if (n == 0) break;
    done += n;
  }
  contents.resize(done);
  return contents;
}

}  // namespace xgrad::system
