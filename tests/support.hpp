#pragma once
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

/// What the tests of more than one folder share: tensors and their numbers, and the text of errors.

/// Gives back the number of threads at its end.
struct RestoreThreads {
  const int before = xgrad::num_threads();
  ~RestoreThreads() { xgrad::set_num_threads(before); }
};

// Tensors.

/// A leaf of one f64 number.
inline xgrad::Tensor leaf(double value) { return xgrad::tensor(value, {.dtype = xgrad::f64, .requires_grad = true}); }
/// A leaf of t's numbers, which has storage of its own.
inline xgrad::Tensor leaf(const xgrad::Tensor& t) { return t.detach().clone().set_requires_grad(true); }

/// The elements, which must be of type T.
template <class T>
std::vector<T> values(const xgrad::Tensor& t) {
  return {t.data<T>(), t.data<T>() + t.size()};
}

/// The largest magnitude; NaN if there is one.
inline double largest(const xgrad::Tensor& t) { return max(abs(t.detach())).item(); }

/// The largest of |a - b|; the shapes must agree.
inline double difference(const xgrad::Tensor& a, const xgrad::Tensor& b) {
  REQUIRE(a.shape() == b.shape());
  return a.size() == 0 ? 0 : largest(a.detach() - b.detach());
}

/// Whether no element of a is further from b's than the tolerance times b's largest magnitude, or 1 where that is less.
inline bool close(const xgrad::Tensor& a, const xgrad::Tensor& b, double tolerance = 1e-14) {
  return a.shape() == b.shape() && largest(a - b) <= tolerance * std::max(1., largest(b));
}

/// Checks each element against a number, relative to it where it is more than 1; infinities and NaN must be the same.
inline void check_close(const xgrad::Tensor& t, const std::vector<double>& expected, double tolerance = 1e-12) {
  const std::vector<double> found = xgrad::to_vector(t);
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    CAPTURE(i);
    if (std::isfinite(expected[i])) {
      CHECK(std::abs(found[i] - expected[i]) <= tolerance * std::max(1.0, std::abs(expected[i])));
    } else {
      CHECK((found[i] == expected[i] || (std::isnan(found[i]) && std::isnan(expected[i]))));
    }
  }
}

/// Whether two tensors have the shape and all numbers in common, of whatever dtype.
inline bool equal(const xgrad::Tensor& a, const xgrad::Tensor& b) {
  return a.shape() == b.shape() && xgrad::to_vector(a) == xgrad::to_vector(b);
}

/// Whether two tensors have the dtype, the shape and every bit in common.
inline bool same_bits(const xgrad::Tensor& a, const xgrad::Tensor& b) {
  return a.dtype() == b.dtype() && a.shape() == b.shape() &&
         (a.size() == 0 || std::memcmp(a.array().data(), b.array().data(), a.array().bytes()) == 0);
}
/// Likewise, one by one.
inline bool same_bits(const std::vector<xgrad::Tensor>& a, const std::vector<xgrad::Tensor>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const xgrad::Tensor& s, const xgrad::Tensor& t) { return same_bits(s, t); });
}
/// Likewise, name by name.
inline bool same_bits(const xgrad::StateDict& a, const xgrad::StateDict& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const auto& s, const auto& t) { return s.first == t.first && same_bits(s.second, t.second); });
}

/// Calls f(0) ... f(n - 1) at once, each on a thread of its own.
template <class F>
void on_threads(int n, F f) {
  std::vector<std::thread> threads;
  for (int i = 0; i < n; ++i) threads.emplace_back([&f, i] { f(i); });
  for (std::thread& t : threads) t.join();
}

// Texts.

inline bool has(const std::string& all, const std::string& part) { return all.find(part) != std::string::npos; }

/// How often `part` stands in `all`, overlapping or not.
inline std::size_t count(const std::string& all, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t i = all.find(part); i != std::string::npos; i = all.find(part, i + 1)) ++n;
  return n;
}

/// Those of `names` that are not among `others`.
inline std::vector<std::string> missing(const std::vector<std::string>& names, const std::vector<std::string>& others) {
  std::vector<std::string> result;
  for (const std::string& name : names)
    if (std::find(others.begin(), others.end(), name) == others.end()) result.push_back(name);
  return result;
}

/// The text of the E that f throws; or, in brackets, what happened instead.
template <class E = xgrad::Error, class F>
std::string thrown(F f) {
  try {
    f();
  } catch (const E& e) {
    return e.what();
  } catch (const std::exception& e) {
    return std::string("[another type: ") + e.what() + "]";
  }
  return "[nothing thrown]";
}

/// The same without the `file:line: ` of the test itself in front, which must be there.
template <class E, class F>
std::string message_of(F f, const char* file = __builtin_FILE(), int first_line = __builtin_LINE()) {
  const std::string said = thrown<E>(f), place = std::string(file) + ":";
  if (said[0] == '[') return said;
  if (!said.starts_with(place)) return "[no place: " + said + "]";
  const int line = std::atoi(said.c_str() + place.size());
  if (std::abs(line - first_line) > 8) return "[wrong line: " + said + "]";
  return said.substr(said.find(": ", place.size()) + 2);
}

/// The text of the error that f throws, without the folder of the file's name.
template <class F>
std::string error_of(F f) {
  const std::string said = thrown(f);
  return said.substr(said.substr(0, said.find(": ")).rfind('/') + 1);
}

/// `file.cpp:LINE: rest`, LINE being that of the macro.
#define CHECK_ERROR(expression, file, rest) \
  CHECK(error_of([&] { (void)(expression); }) == xgrad::text(file ":", __LINE__, ": ", rest))

/// What the system says of a folder that there is not: 3 is Windows' number for that.
inline std::string no_such_folder() {
#ifdef _WIN32
  return std::error_code(3, std::system_category()).message();
#else
  return std::make_error_code(std::errc::no_such_file_or_directory).message();
#endif
}

/// What the user of a wrong call sees: `SAYS(item, Type, code, text)` runs the code and wants an error of that type
/// whose text is this file, the line of the code, and `text`, to the letter. `item` names the misuse in a failure.
template <class E, class Code>
void check_says(const std::string& item, const char* file, Code code, const std::string& expected) {
  CAPTURE(item);
  int line = 0;
  const std::string told = thrown<E>([&] { code(line); });
  CHECK(told == xgrad::text(file, ":", line, ": ", expected));
}
#define SAYS(item, E, code, expected) \
  check_says<xgrad::E>(               \
      item, __FILE__,                 \
      [&](int& line) {                \
        line = __builtin_LINE();      \
        code;                         \
      },                              \
      expected)
