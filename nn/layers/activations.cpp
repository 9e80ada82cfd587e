#include <nn/activations.hpp>

/// The activation that has a parameter.
namespace xgrad::nn {

PReLU::PReLU(std::int64_t channels, double slope, Place place) {
  const OpScope scope("PReLU", place);
  if (channels < 1) scope.fail<ValueError>("there are ", channels, " channels; at least 1 is needed");
  weight = Parameter(full({channels}, slope));
}

void PReLU::members(Visitor& visit) { visit("weight", weight); }

}  // namespace xgrad::nn
