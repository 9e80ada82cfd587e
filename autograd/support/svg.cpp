// Writes the parts of an SVG picture.
#include <autograd/error.hpp>
#include <autograd/support/markup.hpp>
#include <autograd/support/svg.hpp>

namespace xgrad::detail {
namespace {

/// `<text class='pale' x='12' y='3.5'`.
std::string tag(std::string_view name, std::string_view attributes,
                std::initializer_list<std::pair<const char*, double>> lengths) {
  std::string s = text("<", name, attributes.empty() ? "" : " ", attributes);
  for (const auto& [attribute, v] : lengths) s += text(" ", attribute, "='", Svg::length(v), "'");
  return s;
}

}  // namespace

std::string Svg::length(double v) {
  std::string s = fixed(v);
  s.erase(s.find_last_not_of('0') + 1);
  if (s.back() == '.') s.pop_back();
  return s == "-0" ? "0" : s;
}

void Svg::words(double x, double y, std::string_view what, std::string_view attributes) {
  body_ += text(tag("text", attributes, {{"x", x}, {"y", y}}), ">", escaped(what), "</text>\n");
}

void Svg::rect(double x, double y, double width, double height, std::string_view attributes) {
  body_ += text(tag("rect", attributes, {{"x", x}, {"y", y}, {"width", width}, {"height", height}}), "/>\n");
}

void Svg::line(double x1, double y1, double x2, double y2, std::string_view attributes) {
  body_ += text(tag("line", attributes, {{"x1", x1}, {"y1", y1}, {"x2", x2}, {"y2", y2}}), "/>\n");
}

void Svg::dot(double x, double y, double radius, std::string_view attributes) {
  body_ += text(tag("circle", attributes, {{"cx", x}, {"cy", y}, {"r", radius}}), "/>\n");
}

std::string Svg::picture(double width, double height, std::string_view style) const {
  const std::string w = length(width), h = length(height);
  return text("<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 ", w, " ", h, "' width='", w, "' height='", h,
              "'>\n<style>", style, "</style>\n<rect class='page' width='100%' height='100%'/>\n", body_, "</svg>\n");
}

}  // namespace xgrad::detail
