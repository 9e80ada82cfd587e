#pragma once
#include <autograd/picture/graph.hpp>
#include <autograd/picture/history.hpp>

/// Which module, or which repeated step, each item of a history belongs to.
namespace xgrad::detail {

/// What the user calls tensors.
class Names {
 public:
  explicit Names(const std::vector<std::pair<std::string, Tensor>>& names);
  /// Null if it has none.
  const std::string* of(const Node* node, const Tensor& value) const;
  /// The named tensor behind a leaf, undefined if there is none.
  Tensor value_of(const Node* node) const;

 private:
  std::unordered_map<const void*, std::string> names_;
  std::unordered_map<const Node*, Tensor> values_;
};

struct Boxes {
  std::vector<Picture::Box> boxes;  // one for each run of ops inside the same; the outer before the inner
  std::vector<int> of_item;         // the innermost, -1 for none
};

/// The path that a trace knows tells an op's module: `encoder.query (Dense 8 -> 8)` lies in the box of `encoder`, which
/// is the user's own. Where no path is known, a parameter's name tells it. Ops between two of the same own module
/// belong to it. A parameter stands in the innermost box that holds all that use it.
Boxes find_boxes(const History& history, const Names& names);

}  // namespace xgrad::detail
