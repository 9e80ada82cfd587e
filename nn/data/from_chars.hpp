#pragma once
#include <cerrno>
#include <charconv>
#include <clocale>
#include <cmath>
#include <cstdlib>
#include <string>
#include <string_view>

/// Reading numbers from text, the same on every standard library and under every locale.
namespace xgrad::nn::detail {

/// std::from_chars, also of floating numbers where the standard library reads integers only so, as libc++ 19 does.
template <class T>
std::from_chars_result from_chars(const char* first, const char* last, T& value) {
  if constexpr (requires { std::from_chars(first, last, value); }) {
    return std::from_chars(first, last, value);
  } else {
    // C's functions read more: blanks and plus signs at the beginning, hexadecimal digits, the point of the locale.
    std::string text(first, last);
    const std::string_view point = std::localeconv()->decimal_point;
    if (text.find_first_of("+ \t\n\v\f\r") == 0 || text.find_first_of("xX") != text.npos ||
        (point != "." && text.find(point) != text.npos))
      return {first, std::errc::invalid_argument};
    if (const auto dot = text.find('.'); dot != text.npos) text.replace(dot, 1, point);
    char* end = nullptr;
    T number{};
    errno = 0;
    if constexpr (sizeof(T) == sizeof(float))
      number = std::strtof(text.c_str(), &end);
    else
      number = std::strtod(text.c_str(), &end);
    if (text.empty() || end != text.c_str() + text.size()) return {first, std::errc::invalid_argument};
    if (errno == ERANGE && (number == 0 || std::isinf(number))) return {last, std::errc::result_out_of_range};
    value = number;
    return {last, {}};
  }
}

}  // namespace xgrad::nn::detail
