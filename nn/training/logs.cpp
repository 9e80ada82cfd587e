#include <autograd/atomic_file.hpp>
#include <autograd/support/json.hpp>
#include <nn/training/callbacks.hpp>

namespace xgrad::nn {

void CsvLog::before_run(Run&) { check_writable(path_, place_); }
void CsvLog::after_epoch(Run& run) { write_file_atomically(path_, run.history().to_csv(), place_); }

void JsonLinesLog::before_run(Run&) { check_writable(path_, place_); }
void JsonLinesLog::after_epoch(Run& run) {
  std::string lines;
  for (std::size_t e = 0; e < run.history().size(); ++e) {
    xgrad::detail::Json line = {{"epoch", e + 1}};
    for (const auto& [name, value] : run.history().epoch(e)) line[name] = value;  // the library writes null for NaN
    lines += xgrad::detail::to_text(line) + "\n";
  }
  write_file_atomically(path_, lines, place_);
}

}  // namespace xgrad::nn
