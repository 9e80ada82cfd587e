#pragma once
#include <optim/optimizers/option.hpp>
#include <type_traits>
#include <utility>
#include <vector>

#pragma GCC visibility push(default)

/// The members of options that somebody else declared, told apart by position.
namespace xgrad::optim::detail {

/// Converts to whatever a member is; never called.
struct Anything {
  template <class T>
  operator T() const;
};

/// How many members an aggregate has: the longest list that it can be made from.
template <class T, class... Members>
constexpr std::size_t member_count() {
  if constexpr (requires { T{Members{}..., Anything{}}; }) {
    return member_count<T, Members..., Anything>();
  } else {
    return sizeof...(Members);
  }
}

/// f(first member, second, ...).
template <class T, class F>
void with_members(T& o, F f) {
  constexpr std::size_t n = member_count<T>();
  static_assert(n >= 1 && n <= 10, "options have one to ten members, of which lr is the first");
  // clang-format off
  if constexpr (n == 1) { auto& [a] = o; f(a); }
  if constexpr (n == 2) { auto& [a, b] = o; f(a, b); }
  if constexpr (n == 3) { auto& [a, b, c] = o; f(a, b, c); }
  if constexpr (n == 4) { auto& [a, b, c, d] = o; f(a, b, c, d); }
  if constexpr (n == 5) { auto& [a, b, c, d, e] = o; f(a, b, c, d, e); }
  if constexpr (n == 6) { auto& [a, b, c, d, e, g] = o; f(a, b, c, d, e, g); }
  if constexpr (n == 7) { auto& [a, b, c, d, e, g, h] = o; f(a, b, c, d, e, g, h); }
  if constexpr (n == 8) { auto& [a, b, c, d, e, g, h, i] = o; f(a, b, c, d, e, g, h, i); }
  if constexpr (n == 9) { auto& [a, b, c, d, e, g, h, i, j] = o; f(a, b, c, d, e, g, h, i, j); }
  if constexpr (n == 10) { auto& [a, b, c, d, e, g, h, i, j, k] = o; f(a, b, c, d, e, g, h, i, j, k); }
  // clang-format on
}

template <class T>
void list_member(std::vector<Option>& list, const std::string& name, T& member) {
  if constexpr (requires { member.first, member.second; }) {
    list_member(list, name + ".first", member.first);
    list_member(list, name + ".second", member.second);
  } else {
    static_assert(std::is_arithmetic_v<T>, "an option is a number, a flag or a pair of them");
    list.emplace_back(name, member);
  }
}

/// lr, which must be the first, and the others as `option.1`, `option.2` and so on.
template <class T>
std::vector<Option> listed_members(T& options) {
  static_assert(std::is_aggregate_v<T>,
                "options are a struct without constructors: struct Options { double lr = 1e-3; };");
  static_assert(std::is_same_v<decltype(T::lr), double>, "options have a first member `double lr`");
  std::vector<Option> list{{"lr", options.lr, Range::not_negative}};
  with_members(options, [&](const double&, auto&... others) {
    [[maybe_unused]] int position = 0;
    (list_member(list, "option." + std::to_string(++position), others), ...);
  });
  return list;
}

}  // namespace xgrad::optim::detail
#pragma GCC visibility pop
