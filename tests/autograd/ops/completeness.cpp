#include <doctest/doctest.h>
#include <algorithm>
#include <autograd/linalg.hpp>
#include <autograd/ops/table/check.hpp>
#include <autograd/ops/table/declared.hpp>
#include <fstream>
#include <support.hpp>

// Every op has a row in the table, and the whole table passes.
using namespace xgrad::op_table;

namespace {

std::vector<std::string> names_of(const std::vector<Row>& rows) {
  std::vector<std::string> names;
  for (const Row& row : rows) names.push_back(row.op);
  return names;
}

/// The ops that docs/coming_from.md tells the names of, by the first cells of its rows.
std::vector<std::string> translated_ops() {
  std::ifstream file(XGRAD_SOURCE_FOLDER "/docs/coming_from.md");
  std::vector<std::string> names;
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("| `")) continue;
    std::string name = line.substr(3, line.find('`', 3) - 3);
    std::erase(name, '\\');
    names.push_back(std::move(name));
  }
  return names;
}

/// The declared ops that can run: without LAPACK those of linear algebra cannot, and have no rows.
std::vector<std::string> runnable_ops() {
  std::vector<std::string> names = declared_ops(op_headers());
  if (!xgrad::linalg::available())
    std::erase_if(names, [](const std::string& name) { return name.starts_with("linalg::"); });
  return names;
}

}  // namespace

TEST_CASE("each op stands in docs/coming_from.md once, with its names in PyTorch and NumPy, and nothing else does") {
  const std::vector<std::string> declared = declared_ops(op_headers()), names = translated_ops();
  for (const std::string& op : missing(declared, names)) FAIL_CHECK(op << " is missing in docs/coming_from.md");
  for (const std::string& op : missing(names, declared))
    if (!op.starts_with("linalg::"))  // which are built only where there is a LAPACK
      FAIL_CHECK(op << " stands in docs/coming_from.md but is declared in none of the headers of ops");
  for (const std::string& op : names) {
    CHECK_MESSAGE(std::count(names.begin(), names.end(), op) == 1, op, " stands in docs/coming_from.md several times");
    std::vector<std::string> rest = names;
    rest.erase(std::find(rest.begin(), rest.end(), op));
    const bool is_declared = std::find(declared.begin(), declared.end(), op) != declared.end();
    if (is_declared) CHECK(missing(declared, rest) == std::vector<std::string>{op});
  }
}

TEST_CASE("each op that a header declares has one row in the table, and each row an op") {
  const std::vector<Row> rows = all_rows();
  const std::vector<std::string> declared = runnable_ops(), names = names_of(rows);
  for (const std::string& op : missing(declared, names)) FAIL_CHECK(op << " has no row in tests/autograd/ops/table");
  for (const std::string& op : missing(names, declared))
    FAIL_CHECK(op << " has a row but is declared in none of the headers of ops");
  for (const std::string& op : names)
    CHECK_MESSAGE(std::count(names.begin(), names.end(), op) == 1, op, " has several rows");
}

TEST_CASE("deleting any row is noticed, by name") {
  const std::vector<std::string> declared = runnable_ops(), names = names_of(all_rows());
  for (const std::string& op : names) {
    std::vector<std::string> rest = names;
    rest.erase(std::find(rest.begin(), rest.end(), op));
    CHECK(missing(declared, rest) == std::vector<std::string>{op});
  }
}

TEST_CASE("the whole table passes") { check_family("all ops", all_rows()); }

TEST_CASE("declarations of all forms are found") {
  const std::vector<std::string> names = declared_ops(R"(
Tensor exp(const Operand& x);
/// Tensor in_a_comment(const Operand& x);
inline Tensor operator+(const Tensor& x) { return x; }
Tensor operator+(const Operand& a, const Operand& b);
inline Tensor& operator+=(Tensor& a, const Operand& b) { return a = a + b; }
Sorted sort(const Operand& x, int axis = -1, bool descending = false);
std::vector<Tensor> split(const Operand& x, std::int64_t sections,
                          int axis = 0);
struct Sorted {
  Tensor values, indices;
};
}  // namespace xgrad
namespace xgrad::linalg {
SVD svd(const Operand& a);
})");
  CHECK(names == std::vector<std::string>{"exp", "operator+ (unary)", "operator+", "operator+=", "sort", "split",
                                          "linalg::svd"});
  CHECK(declared_ops(op_headers()).size() > 90);
}
