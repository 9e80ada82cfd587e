#pragma once
#include <autograd/state_dict.hpp>
#include <list>
#include <set>

/// Reading a state whose entries may not fit.
namespace xgrad::optim::detail {

/// Takes entries out of a state by name, and collects what is wrong with it.
class StateReader {
 public:
  explicit StateReader(const StateDict& state) : state_(state) {}

  /// The entry, or an undefined tensor after noting what is wrong with it.
  Tensor take(const std::string& name, Dtype dtype, const Shape& shape);
  /// Copies of all entries that nobody took and whose names begin with `prefix`, by what follows.
  std::list<StateDict::Entry> take_rest(const std::string& prefix, Dtype dtype, const Shape& shape);

  template <class... Parts>
  void note(const Parts&... parts) {
    problems_ += text("\n  ", parts...);
  }

  /// All problems, one to a line, those of entries that nobody took included.
  std::string problems();

 private:
  const StateDict& state_;
  std::set<std::string> taken_;
  std::string problems_;
};

}  // namespace xgrad::optim::detail
