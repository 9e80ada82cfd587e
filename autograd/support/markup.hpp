#pragma once
#include <string>
#include <string_view>

/// Writes the words and numbers of pages and pictures: HTML and SVG are text.
namespace xgrad::detail {

/// The text with <, >, &, " and ' as entities, for use between tags and in attributes. Control characters, which XML
/// does not allow, become spaces.
std::string escaped(std::string_view text);

/// A page of HTML that is XML as well and needs nothing but itself: body and script are put in as they are.
std::string html_page(std::string_view title, std::string_view style, std::string_view body, std::string_view script);

/// The number with so many digits after the point.
std::string fixed(double v, int digits = 2);

/// The number with so many significant digits at most, as printf's %g writes it, and a true minus sign.
std::string brief(double v, int digits = 4);

}  // namespace xgrad::detail
