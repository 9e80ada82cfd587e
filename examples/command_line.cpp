#include "command_line.hpp"
#include <CLI/CLI.hpp>
#include <autograd/atomic_file.hpp>
#include <cstdio>
#include <cstdlib>
#include <vector>

struct Options::Parser : CLI::App {
  using CLI::App::App;
};

Options::Options(const std::string& description) : parser_(std::make_unique<Parser>(description)) {
  parser_->option_defaults()->always_capture_default();
  parser_->failure_message(CLI::FailureMessage::help);
  parser_->allow_windows_style_options(false);  // /folder/file is a file there, too
}

Options::~Options() = default;

template <class T>
void Options::add(const std::string& name, T& value, const std::string& description) {
  CLI::Option* const option = parser_->add_option(name, value, description);
  if constexpr (std::is_same_v<T, std::vector<std::int64_t>>) option->delimiter(',');
}

template <class T>
void Options::add(const std::string& name, T& value, const std::string& description, std::type_identity_t<T> least,
                  std::type_identity_t<T> most) {
  parser_->add_option(name, value, description)->check(CLI::Range(least, most));
}

template void Options::add(const std::string&, int&, const std::string&);
template void Options::add(const std::string&, std::int64_t&, const std::string&);
template void Options::add(const std::string&, std::uint64_t&, const std::string&);
template void Options::add(const std::string&, double&, const std::string&);
template void Options::add(const std::string&, std::string&, const std::string&);
template void Options::add(const std::string&, std::vector<std::int64_t>&, const std::string&);
template void Options::add(const std::string&, int&, const std::string&, int, int);
template void Options::add(const std::string&, std::int64_t&, const std::string&, std::int64_t, std::int64_t);
template void Options::add(const std::string&, double&, const std::string&, double, double);

void Options::read(int argc, char** argv) {
  try {
    parser_->parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::exit(parser_->exit(error) == 0 ? 0 : 2);
  }
}

CommandLine::CommandLine(const std::string& description, std::string file)
    : Options(description), picture(std::move(file)) {
  add("picture", picture, "file for the picture (SVG)");
  add("--seed", seed, "of all random numbers");
  parser_->add_option("--seconds", seconds, "after which to give up")->check(CLI::PositiveNumber);
}

void CommandLine::read(int argc, char** argv) {
  Options::read(argc, argv);
  try {
    xgrad::check_writable(picture);
  } catch (const xgrad::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    std::exit(2);
  }
}

void CommandLine::check_time() const {
  if (std::chrono::steady_clock::now() - start < limit()) return;
  std::fprintf(stderr, "not done after %g seconds; --seconds allows more\n", seconds);
  std::exit(1);
}
