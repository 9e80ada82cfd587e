#pragma once
#include <autograd/file_path.hpp>
#include <autograd/tensor.hpp>
#include <optional>
#include <string_view>

#pragma GCC visibility push(default)

/// Readers of comma-separated values as RFC 4180 has them: cells may stand in quotes, and then hold separators, line
/// breaks and, doubled, quotes. Lines end in LF or CRLF, the last one or not; a byte-order mark is skipped, blank lines
/// at the end too. Every row has as many cells as the first. Numbers are read alike under every locale. Throws
/// FileError with the file, line and column (cells counted from 1) at a row of another length, a quote where none can
/// stand, one that is not closed, a carriage return alone and a NUL byte.
namespace xgrad::nn {

struct CsvOptions {
  char separator = ',';
  bool header = true;  // the first row holds the names of the columns
};

/// The cells as they stand, without quotes.
struct CsvText {
  std::vector<std::string> names;  // empty without a header
  std::vector<std::vector<std::string>> rows;
};
CsvText read_csv_text(const FilePath& path, const CsvOptions& options = {}, Place place = Place::here());

struct CsvNumberOptions {
  char separator = ',';
  bool header = true;
  Dtype dtype = f32;                      // f32, f64 or i64
  std::optional<double> missing = {};     // what an empty cell counts as; unless told, it is an error
  std::vector<std::string> columns = {};  // names of the columns to read, in this order; all unless told
};

struct CsvNumbers {
  std::vector<std::string> names;  // of the columns of `values`; empty without a header
  Tensor values;                   // (rows, columns)
};
/// A table of decimal numbers, rounded to the nearest of the dtype; blanks around them are skipped, `nan` and `inf` are
/// numbers of f32 and f64. Throws FileError with line and column at an empty cell, a cell that is no number and a
/// number beyond the dtype's largest, ValueError on a column that is asked for and is not there exactly once.
CsvNumbers read_csv(const FilePath& path, const CsvNumberOptions& options = {}, Place place = Place::here());

/// The same from memory; messages call the content `name`.
CsvText parse_csv_text(std::string_view content, const CsvOptions& options = {},
                       const std::string& name = "the content", Place place = Place::here());
CsvNumbers parse_csv(std::string_view content, const CsvNumberOptions& options = {},
                     const std::string& name = "the content", Place place = Place::here());

}  // namespace xgrad::nn
#pragma GCC visibility pop
