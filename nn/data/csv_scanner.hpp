#pragma once
#include <autograd/error.hpp>
#include <cstdint>
#include <string>
#include <string_view>

/// Splits a CSV text into cells, without copying those that need no unquoting.
namespace xgrad::nn::detail {

struct CsvCell {
  std::string_view text;  // without quotes; valid until the next cell is read
  std::int64_t line = 0, column = 0;
  bool ends_row = false;
};

/// Goes through a CSV text cell by cell.
class CsvScanner {
 public:
  CsvScanner(std::string_view content, char separator, const std::string& name, const OpScope& scope);
  /// The next cell, or false at the end.
  bool next(CsvCell& cell);

  template <class... Parts>
  [[noreturn]] void fail(const CsvCell& cell, const Parts&... parts) const {
    scope_.fail<FileError>(name_, ", line ", cell.line, ", column ", cell.column, parts...);
  }
  /// Throws unless a row of this many cells, which ends in `cell`, is as long as the first one.
  void check_length(const CsvCell& cell, std::int64_t expected) const;

 private:
  void quoted(CsvCell& cell);
  void plain(CsvCell& cell);
  bool at_line_end() const;

  std::string_view content_;
  const char separator_;
  const std::string& name_;
  const OpScope& scope_;
  std::size_t at_ = 0;
  std::int64_t line_ = 1, column_ = 0;  // of the cell last read
  bool in_row_ = false;                 // a separator was read, so another cell follows
  std::string unquoted_;
};

}  // namespace xgrad::nn::detail
