#pragma once
#include <autograd/error.hpp>
#include <cstdlib>
#include <exception>
#include <string>

/// The text of the E that f throws, without the `file:line: ` of the test itself in front, which must be there; or, in
/// brackets, what happened instead.
template <class E, class F>
std::string message_of(F f, const char* file = __builtin_FILE(), int first_line = __builtin_LINE()) {
  try {
    f();
  } catch (const E& e) {
    const std::string said = e.what(), place = std::string(file) + ":";
    if (said.compare(0, place.size(), place) != 0) return "[no place: " + said + "]";
    const int line = std::atoi(said.c_str() + place.size());
    if (std::abs(line - first_line) > 8) return "[wrong line: " + said + "]";
    return said.substr(said.find(": ", place.size()) + 2);
  } catch (const std::exception& e) {
    return std::string("[another type: ") + e.what() + "]";
  }
  return "[nothing thrown]";
}

/// The text of the error that f throws, without the folder of the file's name; "" if it throws none.
template <class F>
std::string error_of(F f) {
  try {
    f();
  } catch (const xgrad::Error& e) {
    const std::string message = e.what();
    const std::size_t slash = message.substr(0, message.find(": ")).rfind('/');
    return slash == std::string::npos ? message : message.substr(slash + 1);
  }
  return "";
}
