#pragma once
#include <nn/training/report.hpp>
#include <nn/training/report/units.hpp>

/// What a report says of a model, found on test data.
namespace xgrad::nn::detail {

/// What rows are to be told: one of two classes, one of several, or anything else.
enum class Task { binary, classes, other };

struct Mistake {
  std::int64_t row;
  double loss;
  std::string predicted, truth;
  Tensor input;  // the first input's row; undefined if there is none
};

struct Findings {
  Scores scores;
  Task task = Task::other;
  std::int64_t rows = 0, wrong = 0;  // wrong: those with a wrong answer, of classes
  Tensor prediction, target;         // of all rows; for two classes the prediction is a probability
  Tensor counts;                     // the confusion table (classes, classes); undefined without classes
  std::vector<std::string> classes;  // their names
  std::vector<Mistake> mistakes;     // the worst first
  std::vector<Units> units;

  static Findings of(Trainer& trainer, const Examples& test, const ReportOptions& options, Place place);

 private:
  void predict(Trainer& trainer, const Examples& test, Place place);
  void tell_task(const Loss& loss);
  void name_classes(const ReportOptions& options, Place place);
  std::vector<bool> right() const;
  void rank(const Trainer& trainer, const Examples& test, const Tensor& raw, std::int64_t most);
  std::string words(const Tensor& values) const;
};

}  // namespace xgrad::nn::detail
