#pragma once
#include <string>
#include <string_view>
#include <type_traits>

#pragma GCC visibility push(default)

namespace xgrad {

/// What a file or a folder is named by: a std::filesystem::path, or what one can be made of, as it would be: a literal,
/// a std::string or a view, of char, wchar_t or char8_t. It is a type of its own because each program that includes
/// this library would pay for <filesystem>, the dearest of the standard headers.
class FilePath {
 public:
  template <class Text>
  requires std::is_convertible_v<const Text&, std::string_view> FilePath(const Text& name)
      : utf8_(in_utf8(std::string_view(name))) {}
  template <class Text>
  requires std::is_convertible_v<const Text&, std::wstring_view> FilePath(const Text& name)
      : utf8_(in_utf8(std::wstring_view(name))) {}
  template <class Text>
  requires std::is_convertible_v<const Text&, std::u8string_view> FilePath(const Text& name) {
    const std::u8string_view utf8 = name;
    utf8_.assign(utf8.begin(), utf8.end());
  }
  template <class Path>
  requires requires(const Path& path) { path.u8string(); }
  FilePath(const Path& path) : FilePath(path.u8string()) {}
  /// Of a std::filesystem::directory_entry.
  template <class Entry>
  requires requires(const Entry& entry) { entry.path().u8string(); }
  FilePath(const Entry& entry) : FilePath(entry.path()) {}

  /// The name in UTF-8, whatever the system writes names in.
  const std::string& str() const { return utf8_; }

 private:
  static std::string in_utf8(std::string_view name);
  static std::string in_utf8(std::wstring_view name);

  std::string utf8_;
};

}  // namespace xgrad
#pragma GCC visibility pop
