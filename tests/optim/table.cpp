#include <doctest/doctest.h>
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>
#include <optim/table.hpp>
#include <regex>
#include <set>

#include "support.hpp"

using namespace optimizer_table;

namespace {

std::vector<std::string> declared(const std::string& header) {
  static const std::regex declaration(
      R"((?:^|\n)(?:using (\w+) = OptimizerOf<|class (\w+) final : public Optimizer ))");
  std::vector<std::string> names;
  for (std::sregex_iterator it(header.begin(), header.end(), declaration), end; it != end; ++it)
    names.push_back((*it)[1].str() + (*it)[2].str());
  return names;
}

std::vector<std::string> declared_optimizers() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(XGRAD_OPTIM_FOLDER)) {
    if (entry.path().extension() != ".hpp") continue;
    std::ifstream file(entry.path());
    for (std::string& name : declared(std::string(std::istreambuf_iterator<char>(file), {})))
      names.push_back(std::move(name));
  }
  return names;
}

/// The names of `rows`, and of the optimiser that has its row elsewhere.
std::set<std::string> with_rows(const std::vector<Row>& rows) {
  std::set<std::string> names{"LBFGS"};
  for (const Row& row : rows) names.insert(row.name);
  return names;
}

std::vector<std::string> without_row(const std::vector<Row>& rows) {
  const std::set<std::string> names = with_rows(rows);
  std::vector<std::string> missing = declared_optimizers();
  std::erase_if(missing, [&](const std::string& name) { return names.contains(name); });
  return missing;
}

/// Calls f for each variant of each row.
template <class F>
void for_each_variant(F f) {
  for (const Row& row : rows()) {
    CAPTURE(row.name);
    for (std::size_t i = 0; i < row.variants.size(); ++i) {
      CAPTURE(i);
      f(row.variants[i]);
    }
  }
}

Made make(const Variant& variant, const Parameters& p) { return variant.make(p, Place::here()); }

double deviation(double a, double b) { return std::abs(a - b) / std::max(1., std::abs(b)); }

}  // namespace

TEST_CASE("each optimiser that optim declares has a row in the table, and each row an optimiser") {
  const std::vector<std::string> names = declared_optimizers();
  for (const std::string& name : without_row(rows())) FAIL_CHECK(name << " has no row in tests/optim/table.hpp");
  for (const std::string& name : with_rows(rows()))
    CHECK_MESSAGE(std::count(names.begin(), names.end(), name) == 1, name, " has a row but is not declared");
  CHECK(names.size() == rows().size() + 1);
  CHECK(declared(
            "/// using A = OptimizerOf<X>\nclass B final : public Optimizer {\nusing C = OptimizerOf<COptions>;\n") ==
        std::vector<std::string>{"B", "C"});
}

TEST_CASE("deleting any row is noticed, by name") {
  for (const Row& row : rows()) {
    std::vector<Row> rest = rows();
    std::erase_if(rest, [&](const Row& r) { return r.name == row.name; });
    CHECK(without_row(rest) == std::vector<std::string>{row.name});
  }
}

TEST_CASE("the rows run each option on and off") {
  for (const Row& row : rows()) {
    std::map<std::string, std::set<double>> values;
    for (const Variant& variant : row.variants)
      for (const auto& [name, t] : make(variant, parameters())->state_dict())
        if (name.starts_with("group.")) values[name].insert(t.item<double>());
    for (const auto& option : values)
      CHECK_MESSAGE(option.second.size() > 1, row.name, ": ", option.first, " has one value in all variants");
  }
}

TEST_CASE("200 steps in f64 are those of the plain formula") {
  for_each_variant([](const Variant& variant) {
    Parameters p = parameters();
    std::vector<std::vector<Element>> expected;
    for (const Tensor& t : p) {
      expected.emplace_back();
      for (std::int64_t i = 0; i < t.size(); ++i) expected.back().push_back({.p = t.data<double>()[i]});
    }
    const Made optimizer = make(variant, p);
    double worst = 0;
    for (int step = 0; step < 200; ++step) {
      train(*optimizer, p, step, step + 1);
      for (std::size_t k = 0; k < p.size(); ++k)
        for (std::size_t i = 0; i < expected[k].size(); ++i) {
          Element& e = expected[k][i];
          e.g = p[k].grad().data<double>()[i];
          variant.step(e, step + 1);
          worst = std::max(worst, deviation(p[k].data<double>()[i], e.p));
        }
    }
    CHECK(worst < 1e-10);
  });
}

TEST_CASE("f32 takes the steps of f64 but for rounding") {
  for_each_variant([](const Variant& variant) {
    Parameters p = parameters(f32), q = parameters(f64);
    const Made narrow = make(variant, p), wide = make(variant, q);
    train(*narrow, p, 0, 50);
    train(*wide, q, 0, 50);
    for (std::size_t k = 0; k < p.size(); ++k) CHECK(max(abs(p[k].to(f64) - q[k])).item<double>() < 1e-4);
  });
}

TEST_CASE("a NaN gradient shows in its element alone, and zero gradients leave a parameter finite") {
  for_each_variant([](const Variant& variant) {
    for (const Dtype dtype : {f32, f64}) {
      Parameters p = parameters(dtype);
      const Made optimizer = make(variant, p);
      Tensor g = zeros({5}, {.dtype = dtype});
      for (int i = 0; i < 3; ++i) {
        p[1].set_grad(g);
        optimizer->step();
        CHECK(all(isfinite(p[1])).item<bool>());
      }
      p[1].set_grad(concatenate({zeros({4}, {.dtype = dtype}), full({1}, std::nan(""), {.dtype = dtype})}));
      optimizer->step();
      CHECK(sum(isnan(p[1]).to(f64)).item<double>() == 1);
    }
  });
}

TEST_CASE("each of two groups steps as an optimiser of its own") {
  for (const Row& row : rows()) {
    CAPTURE(row.name);
    for (const Variant& variant : row.variants) {
      Parameters p = parameters(), q = parameters(), first{q[0]}, second{q[1]};
      const Made together = variant.make_groups({p[0]}, {p[1]}), one = make(variant, first),
                 other = make(row.variants.front(), second);
      for (int step = 0; step < 10; ++step) {
        train(*together, p, step, step + 1);
        for (std::size_t k = 0; k < p.size(); ++k) q[k].set_grad(p[k].grad());
        one->step();
        other->step();
      }
      CHECK(same_bits(p, q));
    }
  }
}

TEST_CASE("a resumed run equals an undisturbed one") {
  for (const Row& row : rows()) {
    CAPTURE(row.name);
    for (const Variant& variant : row.variants) {
      Parameters p = parameters(), q = parameters();
      const Made undisturbed = make(variant, p), before = make(variant, q);
      train(*undisturbed, p, 0, 20);
      train(*before, q, 0, 8);
      const Made after = make(row.variants.front(), q);
      after->load_state_dict(before->state_dict());
      train(*after, q, 8, 20);
      CHECK(same_bits(p, q));
      CHECK(same_bits(undisturbed->state_dict(), after->state_dict()));
    }
  }
}

TEST_CASE("captured steps have the bits of eager ones") {
  for_each_variant([](const Variant& variant) {
    const auto run = [&](bool captured) {
      Parameters p = parameters(f32);
      const Made optimizer = make(variant, p);
      const auto body = [&](const Tensor& x) {
        optimizer->zero_grad();
        (sum(square(matmul(p[0], x) - 1)) + sum(sin(p[1]))).backward();
        optimizer->step();
      };
      auto step = capture(body);
      for (int i = 0; i < 12; ++i) {
        const Tensor x = randn({4, 2});
        if (i == 6) optimizer->set_lr(.005);
        captured ? step(x) : body(x);
      }
      CHECK(step.recordings() == (captured ? 1 : 0));
      return std::pair(p, optimizer->state_dict());
    };
    const auto [p, state] = run(false);
    const auto [q, replayed] = run(true);
    CHECK(same_bits(p, q));
    CHECK(same_bits(state, replayed));
  });
}

TEST_CASE("options outside their ranges are refused, when an optimiser is made and when a state is loaded") {
  for (const Row& row : rows()) {
    CHECK(!row.faults.empty());
    for (const Fault& fault : row.faults)
      CHECK(error_of([&] { fault.make(parameters(), {"program.cpp", 7}); }) == "program.cpp:7: " + fault.message);
    const Made optimizer = make(row.variants.front(), parameters());
    const StateDict good = optimizer->state_dict();
    for (const auto& [name, t] : good) {
      if (!name.starts_with("group.") || t.dtype() != f64) continue;
      StateDict bad = good;
      bad.set(name, full({}, std::numeric_limits<double>::quiet_NaN(), {.dtype = f64}));
      CHECK(error_of([&] { optimizer->load_state_dict(bad); }).find("\n  " + name + " is nan, expected ") !=
            std::string::npos);
      CHECK(same_bits(optimizer->state_dict(), good));
    }
  }
}
