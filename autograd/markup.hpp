#pragma once
#include <string>
#include <string_view>

#pragma GCC visibility push(default)

/// What pages and pictures are written with: HTML and SVG are text.
namespace xgrad {

/// The text with <, >, &, " and ' as entities, for use between tags and in attributes. Control characters, which XML
/// does not allow, become spaces.
std::string escaped(std::string_view text);

/// The number with so many digits after the point.
std::string fixed(double v, int digits = 2);

/// The number with so many significant digits at most, as printf's %g writes it, and a true minus sign.
std::string brief(double v, int digits = 4);

}  // namespace xgrad
#pragma GCC visibility pop
