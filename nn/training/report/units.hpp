#pragma once
#include <autograd/observer.hpp>
#include <string>
#include <vector>

/// Finds the units of a model that say nothing.
namespace xgrad::nn::detail {

/// Those of an activation: features of the last axis, of images and volumes channels.
struct Units {
  std::string where;  // "relu in model[1] (ReLU)"
  std::int64_t total = 0, dead = 0;
};

/// Watches the activations of a model while it is given rows, batch by batch. A unit is dead that gave one and the same
/// number for all of them.
class UnitWatch final : public Observer {
 public:
  /// A batch of so many rows begins, and ends.
  void begin(std::int64_t rows);
  void end() { note(); }
  void op_ends(const OpCall& call, const Tensor& result) override;
  std::vector<Units> found() const;

 private:
  struct Activation {
    std::string where;
    Tensor low, high;  // of each unit
  };
  /// The last op of the activation in progress, whose result is the activation's if no further op of it follows.
  struct Last {
    const char* name = nullptr;
    std::string path = {};
    Tensor result = {};
  };
  void note();

  Last last_;
  std::vector<Activation> activations_;  // in the order in which they run
  std::size_t next_ = 0;
  std::int64_t rows_ = 0;
};

}  // namespace xgrad::nn::detail
