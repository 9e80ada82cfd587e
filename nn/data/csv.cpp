#include <algorithm>
#include <autograd/atomic_file.hpp>
#include <cmath>
#include <cstring>
#include <locale>
#include <nn/data/csv.hpp>
#include <nn/data/csv_scanner.hpp>
#include <nn/data/from_chars.hpp>
#include <sstream>

/// Tables of numbers and of text from CSV: what each cell must be.
namespace xgrad::nn {
namespace {

using detail::CsvCell, detail::CsvScanner;

/// A cell as a message shows it: short, and without control characters.
std::string shown(std::string_view cell) {
  std::string s = "'";
  for (const char c : cell.substr(0, 40)) s += static_cast<unsigned char>(c) < ' ' ? '?' : c;
  return s + (cell.size() > 40 ? "...'" : "'");
}

std::string_view without_blanks(std::string_view s) {
  const std::size_t first = s.find_first_not_of(" \t");
  if (first == s.npos) return {};
  return s.substr(first, s.find_last_not_of(" \t") - first + 1);
}

/// Whether a number out of the range of T rounds to 0; from_chars does not tell.
template <class T>
bool is_tiny(std::string_view number) {
  if constexpr (std::is_integral_v<T>) return false;
  std::istringstream in{std::string(number)};
  in.imbue(std::locale::classic());
  double value = 0;
  in >> value;  // the largest double, or infinity, for what is beyond it
  return std::abs(value) < 1;
}

/// The first row, taken for names.
std::vector<std::string> read_names(CsvScanner& scanner, const std::string& name, const OpScope& scope) {
  std::vector<std::string> names;
  CsvCell cell;
  while (!cell.ends_row && scanner.next(cell)) names.emplace_back(cell.text);
  if (names.empty()) scope.fail<FileError>(name, " is empty; expected a header");
  return names;
}

/// Goes through a table of numbers of type T.
template <class T>
class NumberReader {
 public:
  NumberReader(std::string_view content, const CsvNumberOptions& options, const std::string& name, const OpScope& scope)
      : scanner_(content, options.separator, name, scope), options_(options), name_(name), scope_(scope) {}

  CsvNumbers read() {
    if (options_.header) names_ = read_names(scanner_, name_, scope_);
    if (options_.header) choose_columns(static_cast<std::int64_t>(names_.size()));
    CsvCell cell;
    bool first = !options_.header;
    std::int64_t rows = 0;
    while (scanner_.next(cell)) {
      if (cell.ends_row && !first) scanner_.check_length(cell, all_);
      if (first) {
        values_.push_back(number(cell));
      } else if (cell.column <= all_) {
        if (const std::int64_t to = places_[static_cast<std::size_t>(cell.column - 1)]; to >= 0)
          values_[static_cast<std::size_t>(rows * width_ + to)] = number(cell);
      }
      if (!cell.ends_row) continue;
      if (first) choose_columns(cell.column);
      first = false;
      ++rows;
      values_.resize(static_cast<std::size_t>((rows + 1) * width_));
    }
    if (first) scope_.fail<FileError>(name_, " is empty");
    Array array(dtype_of<T>, {rows, width_});
    if (array.bytes() > 0) std::memcpy(array.data(), values_.data(), array.bytes());
    return {.names = chosen_names(), .values = Tensor(std::move(array))};
  }

 private:
  /// Where each column's numbers go in a row of the result, -1 for nowhere; makes room for the first row.
  void choose_columns(std::int64_t count) {
    all_ = count;
    places_.assign(static_cast<std::size_t>(count), -1);
    if (options_.columns.empty()) {
      for (std::int64_t i = 0; i < count; ++i) places_[static_cast<std::size_t>(i)] = i;
      width_ = count;
    } else {
      for (const std::string& wanted : options_.columns) {
        const auto at = std::find(names_.begin(), names_.end(), wanted);
        if (at == names_.end()) fail_column(wanted);
        if (const auto next = std::find(at + 1, names_.end(), wanted); next != names_.end())
          scope_.fail<ValueError>(name_, " has more than one column ", shown(wanted), ", at ", at - names_.begin() + 1,
                                  " and ", next - names_.begin() + 1, "; rename them, or read all columns");
        std::int64_t& place = places_[static_cast<std::size_t>(at - names_.begin())];
        if (place >= 0) scope_.fail<ValueError>("the column ", shown(wanted), " is asked for twice");
        place = width_++;
      }
    }
    values_.resize(static_cast<std::size_t>(width_));
  }

  [[noreturn]] void fail_column(const std::string& wanted) const {
    std::string known;
    for (const std::string& name : names_) known += (known.empty() ? "" : ", ") + shown(name);
    scope_.fail<ValueError>(name_, " has no column ", shown(wanted), "; ",
                            options_.header ? "it has " + known : "columns are known by name only with a header");
  }

  std::vector<std::string> chosen_names() const {
    if (options_.columns.empty()) return names_;
    return options_.columns;
  }

  std::string column_name(const CsvCell& cell) const {
    const auto i = static_cast<std::size_t>(cell.column - 1);
    return i < names_.size() ? " (" + names_[i] + ")" : std::string();
  }

  T number(const CsvCell& cell) const {
    std::string_view s = without_blanks(cell.text);
    if (s.empty()) {
      if (!options_.missing)
        scanner_.fail(cell, column_name(cell), ": the cell is empty; give `missing` a number to accept it",
                      cell.column == 1 && cell.ends_row ? ", or delete the line if it is blank" : "");
      return static_cast<T>(*options_.missing);
    }
    if (s.size() > 1 && s[0] == '+' && s[1] != '-') s.remove_prefix(1);
    T value{};
    const auto [end, error] = detail::from_chars(s.data(), s.data() + s.size(), value);
    if (error == std::errc::invalid_argument || end != s.data() + s.size())
      scanner_.fail(cell, column_name(cell), ": ", shown(cell.text), " is not ",
                    std::is_integral_v<T> ? "an integer" : "a number");
    if (error == std::errc::result_out_of_range) {
      if (is_tiny<T>(s)) return static_cast<T>(s[0] == '-' ? -0.0 : 0.0);
      scanner_.fail(cell, column_name(cell), ": ", shown(cell.text), " does not fit ", name_of(dtype_of<T>));
    }
    return value;
  }

  CsvScanner scanner_;
  const CsvNumberOptions& options_;
  const std::string& name_;
  const OpScope& scope_;
  std::vector<std::string> names_;
  std::vector<std::int64_t> places_;
  std::vector<T> values_;
  std::int64_t all_ = 0, width_ = 0;
};

}  // namespace

CsvText parse_csv_text(std::string_view content, const CsvOptions& options, const std::string& name, Place place) {
  const OpScope scope("parse_csv_text", place);
  CsvScanner scanner(content, options.separator, name, scope);
  CsvText table;
  if (options.header) table.names = read_names(scanner, name, scope);
  std::vector<std::string> row;
  CsvCell cell;
  std::int64_t length = static_cast<std::int64_t>(table.names.size());
  while (scanner.next(cell)) {
    row.emplace_back(cell.text);
    if (!cell.ends_row) continue;
    if (length == 0) length = cell.column;
    scanner.check_length(cell, length);
    table.rows.push_back(std::move(row));
    row.clear();
  }
  if (length == 0) scope.fail<FileError>(name, " is empty");
  return table;
}

CsvNumbers parse_csv(std::string_view content, const CsvNumberOptions& options, const std::string& name, Place place) {
  const OpScope scope("parse_csv", place);
  const double missing = options.missing.value_or(0);
  if (options.dtype == i64 && !(std::abs(missing) < 0x1p63 && std::nearbyint(missing) == missing))
    scope.fail<ValueError>("missing is ", missing, ", which is no i64; read as f32 or f64");
  if (options.dtype == f32 && std::isinf(static_cast<float>(missing)) && !std::isinf(missing))
    scope.fail<ValueError>("missing is ", missing, ", which does not fit f32; read as f64");
  switch (options.dtype) {
    case Dtype::f32:
      return NumberReader<float>(content, options, name, scope).read();
    case Dtype::f64:
      return NumberReader<double>(content, options, name, scope).read();
    case Dtype::i64:
      return NumberReader<std::int64_t>(content, options, name, scope).read();
    case Dtype::boolean:
      break;
  }
  scope.fail<DtypeError>("a table of numbers cannot be boolean; use f32, f64 or i64");
}

CsvText read_csv_text(const FilePath& path, const CsvOptions& options, Place place) {
  const OpScope scope("read_csv_text", place);
  return parse_csv_text(read_file(path), options, text(path));
}

CsvNumbers read_csv(const FilePath& path, const CsvNumberOptions& options, Place place) {
  const OpScope scope("read_csv", place);
  return parse_csv(read_file(path), options, text(path));
}

}  // namespace xgrad::nn
