#pragma once
#include <autograd/tensor.hpp>
#include <string_view>

#pragma GCC visibility push(default)

namespace xgrad {

/// Tensors by name, in the order in which they were added: what models and optimisers need to go on from, and what
/// files hold. `for (const auto& [name, tensor] : dict)`.
class StateDict {
 public:
  using Entry = std::pair<std::string, Tensor>;

  StateDict() = default;
  /// Throws ValueError if a name occurs twice, as the other one would be lost.
  StateDict(std::initializer_list<Entry> entries, Place place = Place::here());
  StateDict(std::vector<Entry> entries, Place place = Place::here());
  operator const std::vector<Entry>&() const { return entries_; }

  /// Appends, or replaces what has this name.
  void set(std::string_view name, Tensor value);
  /// Null if there is none of this name.
  const Tensor* find(std::string_view name) const;
  bool contains(std::string_view name) const { return find(name) != nullptr; }
  /// Throws ValueError if there is none of this name.
  const Tensor& at(std::string_view name, Place place = Place::here()) const;
  /// A name, and the line where it was written.
  struct Name {
    std::string_view value;
    Place place;
    template <std::convertible_to<std::string_view> S>
    Name(const S& s, const char* file = __builtin_FILE(), int line = __builtin_LINE()) : value(s), place{file, line} {}
  };
  const Tensor& operator[](Name name) const { return at(name.value, name.place); }

  std::size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  auto begin() const { return entries_.begin(); }
  auto end() const { return entries_.end(); }

 private:
  using Places = std::vector<std::size_t>;
  Places::const_iterator first_not_below(std::string_view name) const;

  std::vector<Entry> entries_;
  Places by_name_;  // those of the entries, in the order of their names
};

/// Each tensor with its name, dtype and shape.
std::ostream& operator<<(std::ostream& out, const StateDict& dict);

}  // namespace xgrad
#pragma GCC visibility pop
