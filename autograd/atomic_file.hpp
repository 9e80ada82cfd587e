#pragma once
#include <autograd/error.hpp>
#include <autograd/file_path.hpp>
#include <string>
#include <string_view>

#pragma GCC visibility push(default)

namespace xgrad {

/// Replaces the file at `path` by `contents` so that at every moment, also after a power cut or a kill, the old file or
/// the whole new one is there: writes a temporary file in the same directory, syncs it, renames it over the target and
/// syncs the directory. A file that was there gives the new one its mode, owner and group, as far as the process may
/// set them; on Windows the new one has its folder's permissions. Throws FileError, with the old file intact and no
/// temporary left, when anything fails, or when the target is read-only or something else than a regular file.
void write_file_atomically(const FilePath& path, std::string_view contents, Place place = Place::here());

/// Throws FileError, as write_file_atomically would, where that cannot write now: for finding it out before the work
/// whose result is to be written. Leaves no trace.
void check_writable(const FilePath& path, Place place = Place::here());

/// The bytes of a regular file. Throws FileError naming the path and the reason.
std::string read_file(const FilePath& path, Place place = Place::here());

}  // namespace xgrad
#pragma GCC visibility pop
