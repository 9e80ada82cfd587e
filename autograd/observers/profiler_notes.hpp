#pragma once
#include <autograd/node.hpp>
#include <autograd/profiler.hpp>
#include <deque>
#include <map>
#include <string_view>
#include <unordered_map>

/// What a Profiler writes down; for its sources only.
namespace xgrad {

enum class Kind { op, rule, pass, step };

/// The ops that compute matrix products, alone or as parts of a sequence's, and convolutions; and those that compute
/// nothing: they move numbers, or choose among them.
inline constexpr std::string_view product_ops[] = {"dense", "matmul"};
inline constexpr std::string_view window_ops[] = {"conv", "conv_transpose", "conv_weights"};
inline constexpr std::string_view recurrent_ops[] = {"rnn",          "gru",          "lstm",
                                                     "rnn_backward", "gru_backward", "lstm_backward"};
inline constexpr std::string_view attention_ops[] = {"scaled_dot_product_attention", "attention_backward"};
inline constexpr std::string_view moving_ops[] = {
    "reshape", "flatten", "squeeze", "unsqueeze", "broadcast_to", "permute", "slice",  "unslice", "pad",  "concatenate",
    "flip",    "gather",  "take",    "to",        "clone",        "sort",    "argmax", "argmin",  "where"};

struct Profiler::Notes {
  class Writing;

  struct Event {
    const char* name;
    Place place;
    Kind kind;
    ProfileRow::Part part;
    int path;  // of modules
    double start, seconds;
    std::int64_t bytes;
    double flops;
    Shape shape;  // of the result
  };
  struct Open {
    Event event;
    double inner;  // seconds spent in what ran inside
    bool has_ops;  // ran inside
    std::int64_t own_bytes = 0;
    double own_flops = 0;
  };
  struct Key {
    ProfileRow::Part part;
    Kind kind;
    std::string_view name;  // of static storage
    int path;
    auto operator<=>(const Key&) const = default;
  };
  struct Sums {
    std::int64_t calls = 0, bytes = 0, own_bytes = 0;
    double total = 0, self = 0, flops = 0, own_flops = 0;
  };

  static constexpr std::size_t most_events = 1'000'000;
  std::vector<Event> events;  // in the order of their ends
  std::map<Key, Sums> rows;
  std::deque<std::string> paths{""};

  int index_of(std::string&& path);
  /// The path of the module that an op belongs to, if its making was observed.
  int path_of(const Node& node) const;
  void remember(const Node& node, int path) { made_[&node] = {node.id, path}; }
  void begin(double now, Kind kind, const char* name, Place place, int path);
  void end(double now);
  /// What is open innermost, if it is this; null if it is not, as when the profiler came to be within it.
  Open* innermost(Kind kind, const char* name) {
    if (open_.empty() || open_.back().event.kind != kind || (name && open_.back().event.name != name)) return nullptr;
    return &open_.back();
  }
  bool is_open(Kind kind) const {
    for (const Open& open : open_)
      if (open.event.kind == kind) return true;
    return false;
  }

 private:
  struct Made {
    std::uint64_t id;  // of the node: addresses are used again
    int path;
  };
  double lost_ = 0;  // seconds spent in taking notes
  std::vector<Open> open_;
  std::unordered_map<const Node*, Made> made_;
  std::map<std::string, int> index_{{"", 0}};
};

}  // namespace xgrad
