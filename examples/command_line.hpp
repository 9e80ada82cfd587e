#pragma once
#include <CLI/CLI.hpp>
#include <autograd/atomic_file.hpp>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

/// What an example that draws a picture is told; more by add_option.
struct CommandLine : CLI::App {
  CommandLine(const std::string& description, std::string file) : CLI::App(description), picture(std::move(file)) {
    option_defaults()->always_capture_default();
    failure_message(CLI::FailureMessage::help);
    add_option("picture", picture, "file for the picture (SVG)");
    add_option("--seed", seed, "of all random numbers");
    add_option("--seconds", seconds, "after which to give up")->check(CLI::PositiveNumber);
  }

  /// Ends the program after --help, and with 2 for what it does not understand or where it could not write.
  void read(int argc, char** argv) {
    try {
      parse(argc, argv);
      xgrad::check_writable(picture);
    } catch (const CLI::ParseError& error) {
      std::exit(exit(error) == 0 ? 0 : 2);
    } catch (const xgrad::Error& error) {
      std::fprintf(stderr, "%s\n", error.what());
      std::exit(2);
    }
  }

  /// Ends the program with 1 if its time is over.
  void check_time() const {
    if (std::chrono::steady_clock::now() - start < limit()) return;
    std::fprintf(stderr, "not done after %g seconds; --seconds allows more\n", seconds);
    std::exit(1);
  }
  std::chrono::duration<double> limit() const { return std::chrono::duration<double>(seconds); }

  std::string picture;
  std::uint64_t seed = 0;
  double seconds = 120;
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
};
