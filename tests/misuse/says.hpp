#pragma once
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <limits>

/// What the user of a wrong call sees: `SAYS(item, Type, code, text)` runs the code and wants an error of that type
/// whose text is this file, the line of the code, and `text`, to the letter. `item` names the misuse in a failure.
namespace xgrad::misuse {

template <class E, class Code>
void says(const std::string& item, const char* file, Code code, const std::string& expected) {
  CAPTURE(item);
  int line = 0;
  std::string told = "no error";
  try {
    code(line);
  } catch (const E& error) {
    told = error.what();
  } catch (const std::exception& error) {
    told = text("an error of another type: ", error.what());
  }
  CHECK(told == text(file, ":", line, ": ", expected));
}

inline const double nan = std::numeric_limits<double>::quiet_NaN();

}  // namespace xgrad::misuse

#define SAYS(item, E, code, expected) \
  xgrad::misuse::says<xgrad::E>(      \
      item, __FILE__,                 \
      [&](int& line) {                \
        line = __builtin_LINE();      \
        code;                         \
      },                              \
      expected)
