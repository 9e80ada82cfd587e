#pragma once
#include <autograd/file_path.hpp>
#include <nn/training/trainer.hpp>

#pragma GCC visibility push(default)

/// A page about a training run, to look at, to send and to keep:
///
///   const nn::History history = trainer.fit(train, {.epochs = 5, .validation = test, .histograms = true});
///   nn::write_report("report.html", trainer, history, test);
namespace xgrad::nn {

struct ReportOptions {
  std::string title = "Training report";
  std::vector<std::string> classes = {};  // their names, where rows have a class; their numbers unless told
  std::vector<std::string> columns = {};  // names of an input's numbers, where rows are shown as numbers
  Shape image = {};            // of inputs that are flattened images: (rows, columns), or (channels, rows, columns)
  std::int64_t mistakes = 12;  // how many of the worst are shown
};

/// Writes one page of HTML that needs nothing else, light or dark as the browser is: the scores of the model on test
/// data, which have to have targets; learning curves with the best epoch; what the run was made of, so that it can be
/// repeated; the table of classes, for two of them the ROC curve and how well probabilities are calibrated; the worst
/// mistakes, as images where an input is one; units that are dead; parameters and gradients over time, if the history
/// has their histograms; and the summary. What is not known is left out, and an empty history has no curves.
///
/// Throws FileError, before it computes anything, where the file cannot be written; ValueError if the test data has no
/// rows or no targets, or if there are not as many names as classes or columns; ShapeError for an image of another size
/// than an input.
void write_report(const FilePath& path, Trainer& trainer, const History& history, const Examples& test,
                  ReportOptions options = {}, Place place = Place::here());

}  // namespace xgrad::nn
#pragma GCC visibility pop
