#pragma once
#include <string_view>

/// The formulas that explanations show.
namespace xgrad::detail {

/// An op in school notation, as HTML. Letters with indices are elements: y[i, j].
struct OpFormula {
  const char* name;
  const char* inputs[6];       // their letters
  const char* value;           // of y
  const char* derivatives[6];  // of y by each
};

/// Null for an op that the library does not have: a user's own.
const OpFormula* formula_of(std::string_view op);

}  // namespace xgrad::detail
