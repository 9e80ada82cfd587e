#pragma once
#include <autograd/file_path.hpp>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

/// What only the operating system can do: system_posix.cpp or system_windows.cpp, of which the build takes one.
namespace xgrad::system {

/// Memory for free_aligned(), null if there is none. `alignment` is a power of two.
void* allocate_aligned(std::size_t alignment, std::size_t bytes) noexcept;
void free_aligned(void* block) noexcept;
/// Asks for huge pages where the system gives them only on request: large arrays wait for fewer of its page tables.
void prefer_huge_pages(void* block, std::size_t bytes) noexcept;

/// The size of the processor's last cache, 0 if it is not known.
std::size_t last_cache_bytes();
/// The lowest address of the calling thread's stack, 0 if it is not known.
std::uintptr_t stack_begin();
/// Whether standard output is a terminal that obeys escape sequences.
bool stdout_is_terminal();
/// The letters that fit in a line of that terminal; 80 if that is not known.
int terminal_columns();
/// Has the first Ctrl-C noted instead of ending the process; a second one ends it. False, with nothing changed, if the
/// program handles Ctrl-C itself. Each call that gives true asks for one of `forget_interrupts`.
bool notice_interrupts();
void forget_interrupts();
/// Whether Ctrl-C was pressed since `notice_interrupts`.
bool interrupted();
/// The function of that name in some library that the program has loaded, or null.
void* find_function(const char* name);
/// Loads a library, which stays until the process ends; null if there is none of that name.
void* load_library(const char* name);
/// The function of that name in a loaded library or in those that it needs, or null.
void* find_function(void* library, const char* name);
/// The number that no other process has at the same time.
std::uint64_t process_number();
/// Has these, of which each may be null, called around each fork(), where processes fork.
void around_fork(void (*before)(), void (*in_parent)(), void (*in_child)());

/// The path of that name.
std::filesystem::path native(const FilePath& path);
/// Writes a new file `temporary`, in the same folder, with the permissions of the file at `path` if there is one, and
/// gives it the name `path` when its contents are on the disk: at every moment that is the name of the old file or of
/// the whole new one. Throws std::system_error, which says what was being done, with nothing left; it is `file_exists`
/// if `temporary` was there.
void replace_file(const std::filesystem::path& path, std::string_view contents, const std::filesystem::path& temporary);
/// The bytes of a file. Throws std::system_error, which says what was being done.
std::string read_whole_file(const std::filesystem::path& path);

}  // namespace xgrad::system
