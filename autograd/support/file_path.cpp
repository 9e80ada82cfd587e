#include <autograd/file_path.hpp>
#include <autograd/support/system.hpp>

namespace xgrad {

std::string FilePath::in_utf8(std::string_view name) { return FilePath(std::filesystem::path(name)).str(); }
std::string FilePath::in_utf8(std::wstring_view name) { return FilePath(std::filesystem::path(name)).str(); }

std::filesystem::path system::native(const FilePath& path) {
  return std::u8string(path.str().begin(), path.str().end());
}

}  // namespace xgrad
