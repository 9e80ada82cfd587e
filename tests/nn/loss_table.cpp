#include <filesystem>

#include "nn/table/class_losses.hpp"
#include "nn/table/number_losses.hpp"

using namespace xgrad;
using namespace xgrad::nn_table;

/// The rows of the table of losses.
namespace {

std::vector<LossRow> all_rows() {
  std::vector<LossRow> rows{bce_row(), bce_with_logits_row(), cross_entropy_row(), nll_row()};
  for (const auto family : {regression_rows, likelihood_rows, ranking_rows})
    for (LossRow& r : family()) rows.push_back(std::move(r));
  return rows;
}

std::vector<std::string> names() {
  std::vector<std::string> result;
  for (const LossRow& r : all_rows()) result.push_back("nn::" + r.name);
  return result;
}

}  // namespace

TEST_CASE("every loss that nn/losses.hpp declares has one row, and deleting any row is noticed, by name") {
  check_complete(op_table::declared_ops(text_of(XGRAD_SOURCE_FOLDER "/nn/losses.hpp")), names());
}

TEST_CASE("every loss does what holds for all losses") {
  std::int64_t checks = 0;
  for (const LossRow& r : all_rows()) {
    const Findings findings = check(r);
    CHECK_MESSAGE(findings.failures.empty(), joined(findings.failures));
    checks += findings.checks;
  }
  MESSAGE(names().size(), " losses, ", checks, " checks");
}

TEST_CASE("the table catches a loss whose value, gradient or mean is wrong") {
  const auto failures = [](Loss f) {
    return check({"faulty",
                  {elements(
                      "", std::move(f), [](Real y, Real t) { return (y - t) * (y - t); }, between, between)},
                  {BAD(ShapeError, nn::mse_loss(column, row), broadcasts("mse_loss"))}})
        .failures;
  };
  CHECK(failures([](const Tensors& x, Reduction r) { return nn::mse_loss(x[0], x[1], r); }).empty());
  CHECK_FALSE(failures([](const Tensors& x, Reduction r) { return 1.001 * nn::mse_loss(x[0], x[1], r); }).empty());
  CHECK_FALSE(failures([](const Tensors& x, Reduction r) {
                const Tensor d = x[0] - x[1];
                return nn::mse_loss(d * d.detach(), 0 * d, r);
              }).empty());
  CHECK_FALSE(failures([](const Tensors& x, Reduction r) {
                const Tensor loss = nn::mse_loss(x[0], x[1], r == Reduction::mean ? Reduction::sum : r);
                return r == Reduction::mean ? loss / static_cast<double>(x[0].shape()[0]) : loss;
              }).empty());
}
