#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <autograd/ops/table/values.hpp>
#include <autograd/trace.hpp>
#include <map>
#include <random>

// einsum of random formulas against a sum over all indices, and the order in which it multiplies.
using namespace xgrad;
using op_table::Index, op_table::Real, op_table::Values;

namespace {

/// A formula with the operands that fit it, and the axes that the letters of each stand for: '0' and '1' are those of
/// the ellipsis.
struct Drawn {
  std::string formula;
  std::vector<Tensor> operands;
  std::vector<std::string> labels;
  std::string output;
};

class Draw {
 public:
  explicit Draw(unsigned seed) : random_(seed) {}

  Drawn next() {
    Drawn d;
    const int count = below(3) + 1, ellipsis = below(3);  // axes of it; 0: none is written
    std::map<char, int> sizes, times;
    for (const char letter : std::string("abcde")) sizes[letter] = below(3) + 1;
    for (const char axis : std::string("01")) sizes[axis] = below(2) + 2;
    for (int i = 0; i < count; ++i) {
      std::string labels;
      for (int k = below(3) + 1; k > 0; --k) labels += "abcde"[below(5)];
      std::string written = labels;
      if (ellipsis > 0) {
        const auto at = static_cast<std::size_t>(below(static_cast<int>(labels.size()) + 1));
        written.insert(at, "...");
        labels.insert(at, std::string("01").substr(2 - static_cast<std::size_t>(below(ellipsis + 1))));
      }
      Shape shape;
      for (const char label : labels) {
        const bool narrow = label < 'a' && below(3) == 0;
        shape.push_back(narrow ? 1 : sizes[label]);
        ++times[label];
      }
      d.formula += (i > 0 ? "," : "") + written;
      d.labels.push_back(labels);
      d.operands.push_back(randn(shape, {.dtype = f64, .requires_grad = true}));
    }
    std::string letters;
    for (const auto& [label, n] : times) letters += label;
    const std::string axes = letters.substr(0, letters.find_first_of("abcde"));
    if (below(4) == 0) {  // the result is left out
      d.output = axes;
      for (const auto& [label, n] : times)
        if (label >= 'a' && n == 1) d.output += label;
      return d;
    }
    std::string chosen, written;
    for (const char label : letters)
      if (label >= 'a' && below(2) == 0) chosen += label;
    std::shuffle(chosen.begin(), chosen.end(), random_);
    written = chosen;
    if (ellipsis > 0) {
      const auto at = static_cast<std::size_t>(below(static_cast<int>(chosen.size()) + 1));
      written.insert(at, "...");
      chosen.insert(at, axes);
    }
    d.formula += "->" + written;
    d.output = chosen;
    return d;
  }

 private:
  int below(int n) { return std::uniform_int_distribution<int>(0, n - 1)(random_); }
  std::mt19937 random_;
};

/// The sum over everything.
Values reference(const Drawn& d) {
  std::string letters;
  std::map<char, std::int64_t> sizes;
  for (std::size_t i = 0; i < d.operands.size(); ++i)
    for (std::size_t k = 0; k < d.labels[i].size(); ++k) {
      const char label = d.labels[i][k];
      if (sizes.count(label) == 0) letters += label;
      sizes[label] = std::max(sizes[label], d.operands[i].shape()[static_cast<int>(k)]);
    }
  Shape all, result;
  for (const char label : letters) all.push_back(sizes[label]);
  for (const char label : d.output) result.push_back(sizes[label]);
  std::vector<Values> x;
  for (const Tensor& t : d.operands) x.emplace_back(t);
  Values y(result);
  const auto index_of = [&](const std::string& labels, const Shape& shape, const Index& at) {
    Index index;
    for (std::size_t k = 0; k < labels.size(); ++k)
      index.push_back(shape[static_cast<int>(k)] == 1 ? 0 : at[letters.find(labels[k])]);
    return index;
  };
  op_table::each_index(all, [&](const Index& at) {
    Real product = 1;
    for (std::size_t i = 0; i < x.size(); ++i) product *= x[i][index_of(d.labels[i], x[i].shape, at)];
    y[index_of(d.output, result, at)] += product;
  });
  return y;
}

std::vector<std::string> products_of(const char* formula, const std::vector<Tensor>& operands) {
  const Trace trace;
  (void)einsum(formula, operands);
  std::vector<std::string> results;
  for (const TracedOp& op : trace.ops())
    if (std::string_view(op.name) == "matmul") results.push_back(op.output.shape().str());
  return results;
}

}  // namespace

TEST_CASE("200 random formulas give the sum over all indices, and right gradients") {
  manual_seed(1);
  Draw draw(5);
  for (int i = 0; i < 200; ++i) {
    const Drawn d = draw.next();
    CAPTURE(d.formula);
    const Values want = reference(d);
    const Tensor y = einsum(d.formula, d.operands);
    const Values got(y);
    REQUIRE(got.shape == want.shape);
    for (std::size_t k = 0; k < want.v.size(); ++k)
      CHECK(static_cast<double>(got.v[k]) == doctest::Approx(static_cast<double>(want.v[k])).epsilon(1e-12));
    // einsum is linear in each operand, so <y, c> is the sum of any operand's gradient times itself.
    const Tensor c = randn(y.shape(), {.dtype = f64});
    const double whole = sum(y * c).item();
    for (const Tensor& g : grad(y, d.operands, c)) CHECK(g.defined());
    const std::vector<Tensor> gradients = grad(sum(einsum(d.formula, d.operands) * c), d.operands);
    for (std::size_t k = 0; k < d.operands.size(); ++k)
      CHECK(sum(gradients[k] * d.operands[k]).item() == doctest::Approx(whole).epsilon(1e-9));
  }
}

TEST_CASE("a chain of matrices is multiplied in the cheap order") {
  const Tensor tall = ones({50, 2}), flat = ones({2, 50}), column = ones({50, 1});
  CHECK(products_of("ij,jk,kl->il", {tall, flat, column}) == std::vector<std::string>{"(2, 1)", "(50, 1)"});
  CHECK(products_of("ij,jk,kl->il", {flat, tall, flat}) == std::vector<std::string>{"(2, 2)", "(2, 50)"});
  CHECK(products_of("ij,jk,kl,lm->im", {tall, flat, tall, flat}).at(0) == "(2, 2)");
  const Tensor small = ones({3, 3});
  CHECK(einsum("ab,bc,cd,de,ef,fg->ag", {small, small, small, small, small, small}).str() ==
        "[[243. 243. 243.]\n [243. 243. 243.]\n [243. 243. 243.]]");
}

TEST_CASE("a product of two matrices is one matmul, also where its result is transposed") {
  const Tensor a = ones({2, 3}), b = ones({3, 4});
  for (const char* formula : {"ij,jk->ik", "ij,jk->ki", "ij,jk"}) {
    CAPTURE(formula);
    const Trace trace;
    (void)einsum(formula, {a, b});
    CHECK(trace.ops().size() == 1);
    CHECK(std::string(trace.ops()[0].name) == "matmul");
  }
  manual_seed(2);
  for (const char* batch : {"", "z", "zw"})
    for (const char* left : {"ij", "ji"})
      for (const char* right : {"jk", "kj"})
        for (const char* result : {"ik", "ki"}) {
          const auto shape_of = [](const std::string& letters) {
            Shape shape;
            for (const char letter : letters)
              shape.push_back(letter == 'i' ? 2 : letter == 'j' ? 3 : letter == 'k' ? 4 : 2);
            return shape;
          };
          const std::string l = std::string(batch) + left, r = std::string(batch) + right,
                            y = std::string(batch) + result;
          const Tensor p = randn(shape_of(l), {.dtype = f64}), q = randn(shape_of(r), {.dtype = f64});
          const Drawn drawn{l + "," + r + "->" + y, {p, q}, {l, r}, y};
          CAPTURE(drawn.formula);
          const Values want = reference(drawn), got(einsum(drawn.formula, {p, q}));
          REQUIRE(got.shape == want.shape);
          for (std::size_t k = 0; k < want.v.size(); ++k)
            CHECK(static_cast<double>(got.v[k]) == doctest::Approx(static_cast<double>(want.v[k])).epsilon(1e-12));
        }
}
