// Checks what a report is asked for, and writes it.
#include <autograd/atomic_file.hpp>
#include <nn/training/report/page.hpp>
#include <nn/training/report/png.hpp>

namespace xgrad::nn {
namespace {

/// Errors of the model and of the loss are not the report's: they name the op.
void check(const FilePath& path, const ReportOptions& options, const Examples& test, Place place) {
  const OpScope scope("write_report", place);
  check_writable(path, place);
  if (options.mistakes < 0) scope.fail<ValueError>("mistakes is ", options.mistakes, "; expected at least 0");
  if (test.size() == 0) scope.fail<ValueError>("the test data has no rows");
  const bool is_shown = options.image.ndim() == 0 || detail::is_image(options.image);
  if (!is_shown)
    scope.fail("image is ", options.image,
               "; expected (rows, columns), or (channels, rows, columns) with 1 or 3 channels");
  const std::vector<Tensor> first = test.range(0, 1);
  if (first.size() < 2 || !first.back().defined())
    scope.fail<ValueError>("the test data has no targets, which a report compares predictions with");
  const Shape& shape = first[0].shape();
  if (options.image.ndim() > 0 && options.image.size() != first[0].size())
    scope.fail("image is ", options.image, ", and an input has ", first[0].size(), " numbers");
  if (!options.columns.empty() && (shape.ndim() != 2 || static_cast<std::int64_t>(options.columns.size()) != shape[1]))
    scope.fail<ValueError>("columns has ", options.columns.size(), " names, and a batch of inputs is ", shape,
                           "; name each column of (rows, columns)");
}

}  // namespace

void write_report(const FilePath& path, Trainer& trainer, const History& history, const Examples& test,
                  ReportOptions options, Place place) {
  check(path, options, test, place);
  const detail::Findings found = detail::Findings::of(trainer, test, options, place);
  write_file_atomically(path, detail::report_page(trainer.model(), history, found, options), place);
}

}  // namespace xgrad::nn
