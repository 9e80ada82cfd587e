#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>

/// What a program may be told, with the value that holds if it is not: numbers, strings, and lists of labels. CLI11
/// reads them, in a source of its own (command_line.cpp), which spares each program the seconds that its headers take.
class Options {
 public:
  explicit Options(const std::string& description);
  ~Options();

  /// `name` is "--name", or "name" for what needs no such word. T is int, std::int64_t, std::uint64_t, double,
  /// std::string or std::vector<std::int64_t>, which is written with commas.
  template <class T>
  void add(const std::string& name, T& value, const std::string& description);
  /// The same for int, std::int64_t and double, within limits.
  template <class T>
  void add(const std::string& name, T& value, const std::string& description, std::type_identity_t<T> least,
           std::type_identity_t<T> most);

  /// Ends the program after --help, and with 2 for what it does not understand.
  void read(int argc, char** argv);

 protected:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

/// What an example that draws a picture is told; more by `add`.
struct CommandLine : Options {
  CommandLine(const std::string& description, std::string file);

  /// Ends the program, too, with 2 where it could not write the picture.
  void read(int argc, char** argv);

  /// Ends the program with 1 if its time is over.
  void check_time() const;
  std::chrono::duration<double> limit() const { return std::chrono::duration<double>(seconds); }

  std::string picture;
  std::uint64_t seed = 0;
  double seconds = 120;
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
};
