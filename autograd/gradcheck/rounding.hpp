#pragma once
#include <autograd/gradcheck/gradchecker.hpp>
#include <autograd/observer.hpp>

/// How far rounding may have moved a result.
namespace xgrad::checking {

/// Moves every number that an op computes by a bit or two, at random. How far a result moves by that is how far the
/// rounding inside f may have moved it (stochastic arithmetic, Vignes 1993).
class OtherRounding : public Observer {
 public:
  explicit OtherRounding(std::uint64_t seed) : draw_(seed) {}
  void op_computed(const OpCall&, Array& result) override;

 private:
  template <class T>
  Array moved(const Array& from);

  Gaussian draw_;
};
constexpr std::uint64_t rounding_draws = 4;

/// Whether an op computes f32 numbers.
class SeesF32 : public Observer {
 public:
  void op_computed(const OpCall&, Array& result) override { seen |= result.dtype() == f32; }
  bool seen = false;
};

}  // namespace xgrad::checking
