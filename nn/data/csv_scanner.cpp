#include <nn/data/csv_scanner.hpp>

/// Splits a CSV text into cells, by RFC 4180.
namespace xgrad::nn::detail {

CsvScanner::CsvScanner(std::string_view content, char separator, const std::string& name, const OpScope& scope)
    : content_(content), separator_(separator), name_(name), scope_(scope) {
  if (separator == '"' || separator == '\n' || separator == '\r' || separator == '\0')
    scope.fail<ValueError>("the separator cannot be a quote, a line break or NUL");
  if (content_.starts_with("\x1f\x8b")) scope.fail<FileError>(name, " is a gzip file; unpack it first");
  if (content_.starts_with("\xef\xbb\xbf")) content_.remove_prefix(3);
  while (content_.ends_with('\n')) {
    content_.remove_suffix(1);
    if (content_.ends_with('\r')) content_.remove_suffix(1);
  }
}

bool CsvScanner::at_line_end() const {
  return at_ == content_.size() || content_[at_] == '\n' || content_.substr(at_, 2) == "\r\n";
}

bool CsvScanner::next(CsvCell& cell) {
  if (at_ == content_.size() && !in_row_) return false;
  cell.line = line_;
  cell.column = ++column_;
  if (at_ < content_.size() && content_[at_] == '"') {
    quoted(cell);
  } else {
    plain(cell);
  }
  cell.ends_row = at_line_end();
  in_row_ = !cell.ends_row;
  if (in_row_) {
    ++at_;
  } else {
    if (at_ < content_.size()) at_ += content_[at_] == '\n' ? 1 : 2;
    ++line_;
    column_ = 0;
  }
  return true;
}

void CsvScanner::plain(CsvCell& cell) {
  const std::size_t start = at_;
  for (; at_ < content_.size(); ++at_) {
    const char c = content_[at_];
    if (c == separator_ || c == '\n') break;
    if (c == '"')
      fail(cell, ": a quote inside a cell that does not begin with one; quote the cell and double the quote");
    if (c == '\0') fail(cell, ": a NUL byte; this is not a text file, or not in an 8-bit encoding");
    if (c == '\r') {
      if (at_line_end()) break;
      fail(cell, ": a carriage return alone; lines end in LF or CRLF");
    }
  }
  cell.text = content_.substr(start, at_ - start);
}

void CsvScanner::quoted(CsvCell& cell) {
  std::size_t start = ++at_;
  bool doubled = false;
  unquoted_.clear();
  for (;; ++at_) {
    if (at_ == content_.size()) fail(cell, ": the quote that begins this cell is not closed");
    const char c = content_[at_];
    if (c == '\0') fail(cell, ": a NUL byte; this is not a text file, or not in an 8-bit encoding");
    if (c == '\n') ++line_;
    if (c != '"') continue;
    if (at_ + 1 == content_.size() || content_[at_ + 1] != '"') break;
    doubled = true;
    unquoted_ += content_.substr(start, at_ + 1 - start);
    start = ++at_ + 1;
  }
  const std::string_view rest = content_.substr(start, at_ - start);
  cell.text = doubled ? std::string_view(unquoted_ += rest) : rest;
  ++at_;
  if (!at_line_end() && content_[at_] != separator_) fail(cell, ": text after the closing quote");
}

void CsvScanner::check_length(const CsvCell& cell, std::int64_t expected) const {
  if (cell.column == expected) return;
  if (cell.column == 1 && cell.text.find_first_not_of(" \t") == cell.text.npos)
    fail(cell, ": the row is blank, the first row has ", expected, " cells; delete the line");
  fail(cell, ": the row has ", cell.column, cell.column == 1 ? " cell" : " cells", ", the first row has ", expected);
}

}  // namespace xgrad::nn::detail
