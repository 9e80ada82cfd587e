#pragma once
#include <string>
#include <string_view>

/// Writes a picture as SVG, part after part. Lengths are pixels at the picture's own size. `attributes` go into the tag
/// as they are, such as "class='pale'".
namespace xgrad::detail {

class Svg {
 public:
  /// Words whose base line begins at (x, y), or is centred or ends there by `text-anchor`.
  void words(double x, double y, std::string_view what, std::string_view attributes = {});
  void rect(double x, double y, double width, double height, std::string_view attributes = {});
  void line(double x1, double y1, double x2, double y2, std::string_view attributes = {});
  void dot(double x, double y, double radius, std::string_view attributes = {});
  /// Markup of any other kind.
  void raw(std::string_view markup) { body_ += markup; }

  /// The whole picture; `style` is CSS.
  std::string picture(double width, double height, std::string_view style) const;

  /// A length to a hundredth, as short as that is.
  static std::string length(double v);

 private:
  std::string body_;
};

}  // namespace xgrad::detail
