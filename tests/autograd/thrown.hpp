#pragma once
#include <doctest/doctest.h>
#include <string>

/// The text that f throws as an E, without the place in front, which must be a line of `file`; empty if f throws
/// nothing.
template <class E, class F>
std::string thrown(const std::string& file, F f) {
  try {
    f();
  } catch (const E& e) {
    const std::string what = e.what();
    const std::size_t place = what.find(file + ":");
    CHECK_MESSAGE(place != std::string::npos, what);
    return place == std::string::npos ? what : what.substr(what.find(": ", place) + 2);
  }
  return "";
}
