// Computes metrics as tests/scikit_learn/metrics.py asks. Reads lines `METRIC rows columns predictions targets`, and
// answers each by two values: of all samples at once, and in batches of seven. With more columns than one the targets
// are classes.
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <map>
#include <nn/nn.hpp>

using namespace xgrad;

namespace {

const std::map<std::string, nn::Metric> metrics = {
    {"binary_accuracy", nn::binary_accuracy},
    {"categorical_accuracy", nn::categorical_accuracy},
    {"top_1_accuracy", nn::top_k_accuracy(1)},
    {"top_3_accuracy", nn::top_k_accuracy(3)},
    {"precision", nn::precision},
    {"recall", nn::recall},
    {"f1", nn::f1},
    {"micro_precision", nn::precision({.average = nn::micro})},
    {"micro_recall", nn::recall({.average = nn::micro})},
    {"micro_f1", nn::f1({.average = nn::micro})},
    {"macro_precision", nn::precision({.average = nn::macro})},
    {"macro_recall", nn::recall({.average = nn::macro})},
    {"macro_f1", nn::f1({.average = nn::macro})},
    {"matthews", nn::matthews},
    {"confusion_table", nn::confusion_table},
    {"roc_auc", nn::roc_auc},
    {"average_precision", nn::average_precision},
    {"mae", nn::mae},
    {"mse", nn::mse},
    {"rmse", nn::rmse},
    {"r2", nn::r2},
    {"perplexity", nn::perplexity},
    {"brier", nn::brier},
};

Tensor read(const Shape& shape) {
  std::vector<double> values(static_cast<std::size_t>(shape.size()));
  for (double& v : values) std::cin >> v;
  return from_values(values, shape);
}

}  // namespace

int main() {
  std::string name;
  std::int64_t rows = 0, columns = 0;
  while (std::cin >> name >> rows >> columns) {
    const bool classes = columns > 1;
    const Tensor prediction = read(classes ? Shape{rows, columns} : Shape{rows});
    const Tensor target = classes ? read({rows}).to(i64) : read({rows});
    nn::Metric metric = metrics.at(name);
    for (std::int64_t at = 0; at < rows; at += 7)
      metric.update(slice(prediction, 0, at, std::min(rows, at + 7)), slice(target, 0, at, std::min(rows, at + 7)));
    std::printf("%.17g %.17g", metric(prediction, target), metric.value());
    if (name == "confusion_table") {
      const Tensor table = metric.counts();
      for (std::int64_t i = 0; i < table.size(); ++i)
        std::printf(" %lld", static_cast<long long>(table.data<std::int64_t>()[i]));
    }
    std::printf("\n");
  }
}
