#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/data/csv.hpp>

#include <clocale>
#include <cmath>

#include "support.hpp"

using namespace xgrad;

/// Tables read from CSV, and what is refused.
namespace {

std::string fault(std::string_view content, const nn::CsvNumberOptions& options = {}) {
  return thrown([&] { nn::parse_csv(content, options, "t.csv", {}); });
}

using Rows = std::vector<std::vector<std::string>>;

}  // namespace

TEST_CASE("a table of numbers gives names and a tensor") {
  const nn::CsvNumbers t = nn::parse_csv("a,b,c\n1,2.5,-3e2\n+4, 5 ,.5\n");
  CHECK(t.names == std::vector<std::string>{"a", "b", "c"});
  CHECK(t.values.shape() == Shape{2, 3});
  CHECK(values<float>(t.values) == std::vector<float>{1, 2.5, -300, 4, 5, .5});
  const nn::CsvNumbers plain = nn::parse_csv("1;2\n3;4", {.separator = ';', .header = false, .dtype = f64});
  CHECK(plain.names.empty());
  CHECK(plain.values.shape() == Shape{2, 2});
  CHECK(plain.values.data<double>()[3] == 4);
  CHECK(nn::parse_csv("n\n9007199254740993\n", {.dtype = i64}).values.item<std::int64_t>() == 9007199254740993);
}

TEST_CASE("line ends, byte-order marks, quotes and blank last lines make no difference") {
  const std::vector<float> expected{1, 2, 3, 4};
  for (const char* content : {"a,b\n1,2\n3,4\n", "a,b\n1,2\n3,4", "a,b\r\n1,2\r\n3,4\r\n",
                              "\xef\xbb\xbf"
                              "a,b\n1,2\n3,4",
                              "\"a\",\"b\"\n\"1\",2\n3,\"4\"\n", "a,b\n1,2\n3,4\n\n\r\n\n"}) {
    CAPTURE(content);
    const nn::CsvNumbers t = nn::parse_csv(content);
    CHECK(t.names == std::vector<std::string>{"a", "b"});
    CHECK(values<float>(t.values) == expected);
  }
}

TEST_CASE("a header alone is a table of no rows") {
  CHECK(nn::parse_csv("a,b,c\n").values.shape() == Shape{0, 3});
  CHECK(nn::parse_csv_text("a,b,c").rows.empty());
}

TEST_CASE("columns are chosen by name, and the others may hold anything") {
  const nn::CsvNumbers t = nn::parse_csv("name,x,y\nAda,1,2\nBob,3,4\n", {.columns = {"y", "x"}});
  CHECK(t.names == std::vector<std::string>{"y", "x"});
  CHECK(values<float>(t.values) == std::vector<float>{2, 1, 4, 3});
  CHECK(fault("a,b\n1,2\n", {.columns = {"c"}}) == "parse_csv: t.csv has no column 'c'; it has 'a', 'b'");
  CHECK(fault("a,b\n1,2\n", {.columns = {"a", "a"}}) == "parse_csv: the column 'a' is asked for twice");
  CHECK(fault("1,2\n", {.header = false, .columns = {"c"}}) ==
        "parse_csv: t.csv has no column 'c'; columns are known by name only with a header");
}

TEST_CASE("nan and inf are numbers, and missing cells count as what the caller says") {
  const Tensor t = nn::parse_csv("a\nnan\nNaN\ninf\n-inf\n").values;
  CHECK(std::isnan(t.data<float>()[0]));
  CHECK(std::isnan(t.data<float>()[1]));
  CHECK(t.data<float>()[2] == INFINITY);
  CHECK(t.data<float>()[3] == -INFINITY);
  CHECK(values<float>(nn::parse_csv("a,b\n,2\n3,\" \"\n", {.missing = -1}).values) == std::vector<float>{-1, 2, 3, -1});
  CHECK(fault("a\n1\n", {.dtype = i64, .missing = .5}) ==
        "parse_csv: missing is 0.5, which is no i64; read as f32 or f64");
  CHECK(fault("a\n1\n", {.dtype = i64, .missing = INFINITY}) ==
        "parse_csv: missing is inf, which is no i64; read as f32 or f64");
}

TEST_CASE("a number rounds to the nearest of the dtype, towards zero too, and is refused beyond the largest") {
  for (const char* small : {"1e-50", "+1e-46", "0.0000000000000000000000000000000000000000000000000001", "1e-400",
                            "1e-99999999999999999999"}) {
    CAPTURE(small);
    CHECK(nn::parse_csv(text("a\n", small, "\n")).values.item<float>() == 0);
  }
  CHECK(std::signbit(nn::parse_csv("a\n-1e-50\n").values.item<float>()));
  CHECK(values<float>(nn::parse_csv("a\n8e-46\n").values)[0] == 0x1p-149f);
  CHECK(values<float>(nn::parse_csv("a\n1e-40\n").values)[0] == 1e-40f);
  CHECK(nn::parse_csv("a\n1e-400\n", {.dtype = f64}).values.item<double>() == 0);
  CHECK(nn::parse_csv("a\n3e-324\n", {.dtype = f64}).values.data<double>()[0] == 0x1p-1074);
  CHECK(nn::parse_csv("a\n3.4028235e38\n").values.item<float>() == 0x1.fffffep127f);
  for (const char* large : {"3.5e38", "-1e39", "1e400", "1e+99999999999999999999"}) {
    CAPTURE(large);
    CHECK(fault(text("a\n", large, "\n")) ==
          text("parse_csv: t.csv, line 2, column 1 (a): '", large, "' does not fit f32"));
  }
  CHECK(fault("a\n\"\"\n", {.missing = 1e300}) == "parse_csv: missing is 1e+300, which does not fit f32; read as f64");
  CHECK(std::isinf(nn::parse_csv("a\n\"\"\n", {.missing = INFINITY}).values.item<float>()));
}

TEST_CASE("a column whose name occurs twice cannot be asked for by name") {
  CHECK(fault("a,b,a\n1,2,3\n", {.columns = {"b", "a"}}) ==
        "parse_csv: t.csv has more than one column 'a', at 1 and 3; rename them, or read all columns");
  CHECK(nn::parse_csv("a,b,a\n1,2,3\n", {.columns = {"b"}}).values.item<float>() == 2);
  const nn::CsvNumbers all = nn::parse_csv("a,b,a\n1,2,3\n");
  CHECK(all.names == std::vector<std::string>{"a", "b", "a"});
  CHECK(values<float>(all.values) == std::vector<float>{1, 2, 3});
}

TEST_CASE("a blank line in between is to be deleted, and counts as a missing cell where there is one column") {
  const char* const blank =
      "parse_csv: t.csv, line 2, column 1: the row is blank, the first row has 2 cells; delete the line";
  for (const char* content : {"a,b\n\n3,4\n", "a,b\n \t\n3,4\n", "1,2\r\n\r\n3,4"}) {
    const bool header = content[0] == 'a';
    CHECK(fault(content, {.header = header}) == blank);
    CHECK(fault(content, {.header = header, .missing = 0}) == blank);
  }
  CHECK(
      fault("\n1,2\n", {.header = false}) ==
      "parse_csv: t.csv, line 1, column 1: the cell is empty; give `missing` a number to accept it, or delete the line "
      "if it is blank");
  CHECK(values<float>(nn::parse_csv("1\n\n3\n", {.header = false, .missing = 2}).values) ==
        std::vector<float>{1, 2, 3});
}

TEST_CASE("faults name the file, the line and the column") {
  CHECK(fault("") == "parse_csv: t.csv is empty; expected a header");
  CHECK(fault("\n\n", {.header = false}) == "parse_csv: t.csv is empty");
  CHECK(fault("a,b\n1,2\n3\n") == "parse_csv: t.csv, line 3, column 1: the row has 1 cell, the first row has 2");
  CHECK(fault("a,b\n1,2\n3,4,5\n") == "parse_csv: t.csv, line 3, column 3: the row has 3 cells, the first row has 2");
  CHECK(fault("a,b\n\n3,4\n", {.missing = 0}) ==
        "parse_csv: t.csv, line 2, column 1: the row is blank, the first row has 2 cells; delete the line");
  CHECK(fault("age,fare\n1,\n") ==
        "parse_csv: t.csv, line 2, column 2 (fare): the cell is empty; give `missing` a number to accept it");
  CHECK(fault("a\n1e999\n", {.dtype = f64}) == "parse_csv: t.csv, line 2, column 1 (a): '1e999' does not fit f64");
  CHECK(fault("a\n1e39\n") == "parse_csv: t.csv, line 2, column 1 (a): '1e39' does not fit f32");
  CHECK(fault("a\n0x10\n") == "parse_csv: t.csv, line 2, column 1 (a): '0x10' is not a number");
  CHECK(fault("a\n\"1,5\"\n") == "parse_csv: t.csv, line 2, column 1 (a): '1,5' is not a number");
  CHECK(fault("a\n1,5\n") == "parse_csv: t.csv, line 2, column 2: the row has 2 cells, the first row has 1");
  CHECK(fault("a\n2.5\n", {.dtype = i64}) == "parse_csv: t.csv, line 2, column 1 (a): '2.5' is not an integer");
  CHECK(fault("a\n+-1\n") == "parse_csv: t.csv, line 2, column 1 (a): '+-1' is not a number");
  CHECK(fault(std::string_view("a\n1\0\n", 5)) ==
        "parse_csv: t.csv, line 2, column 1: a NUL byte; this is not a text file, or not in an 8-bit encoding");
  CHECK(fault("a\n1\r2\n") == "parse_csv: t.csv, line 2, column 1: a carriage return alone; lines end in LF or CRLF");
  CHECK(fault("a,b\n1,2\"3\n") ==
        "parse_csv: t.csv, line 2, column 2: a quote inside a cell that does not begin with one; quote the cell and "
        "double the quote");
  CHECK(fault("a,b\n1,\"2\n") == "parse_csv: t.csv, line 2, column 2: the quote that begins this cell is not closed");
  CHECK(fault("a,b\n1,\"2\"3\n") == "parse_csv: t.csv, line 2, column 2: text after the closing quote");
  CHECK(fault("a,b\n\"x\ny\",2\n") == "parse_csv: t.csv, line 2, column 1 (a): 'x?y' is not a number");
  CHECK(fault("\"a\n\",b\n1,2\n3,x\n") == "parse_csv: t.csv, line 4, column 2 (b): 'x' is not a number");
  CHECK(fault("\x1f\x8b...") == "parse_csv: t.csv is a gzip file; unpack it first");
  CHECK(fault("a\n1\n", {.separator = '"'}) == "parse_csv: the separator cannot be a quote, a line break or NUL");
  CHECK(fault("a\n1\n", {.dtype = boolean}) == "parse_csv: a table of numbers cannot be boolean; use f32, f64 or i64");
}

TEST_CASE("a text table keeps cells as they stand, quotes, separators and line breaks included") {
  const nn::CsvText t =
      nn::parse_csv_text("name,note\nAda,\"said \"\"hi, all\"\"\"\nBob,\"two\r\nlines\"\n\"\",\" x \"\n");
  CHECK(t.names == std::vector<std::string>{"name", "note"});
  CHECK(t.rows == Rows{{"Ada", "said \"hi, all\""}, {"Bob", "two\r\nlines"}, {"", " x "}});
  CHECK(nn::parse_csv_text("a,,\n,b,", {.header = false}).rows == Rows{{"a", "", ""}, {"", "b", ""}});
}

TEST_CASE("numbers are read alike under a locale with a decimal comma") {
  const char* const before = std::setlocale(LC_ALL, nullptr);
  const std::string saved = before ? before : "C";
  for (const char* name : {"de_DE.UTF-8", "fr_FR.UTF-8", "C.UTF-8"}) std::setlocale(LC_ALL, name);
  CHECK(nn::parse_csv("a\n1.5\n").values.item<float>() == 1.5f);
  std::setlocale(LC_ALL, saved.c_str());
}

TEST_CASE("a line of 10 MB is read") {
  std::string line = "0";
  while (line.size() < 10'000'000) line += ",1.5,-7";
  const Tensor t = nn::parse_csv(line, {.header = false}).values;
  CHECK(t.shape()[0] == 1);
  CHECK(t.data<float>()[t.size() - 1] == -7);
  const std::string cell = "a\n\"" + std::string(10'000'000, 'x') + "\"\n";
  CHECK(nn::parse_csv_text(cell).rows[0][0].size() == 10'000'000);
  CHECK(fault(cell).size() < 200);
}
