// Writes words and numbers as HTML and SVG need them.
#include <autograd/support/markup.hpp>
#include <cmath>
#include <cstdio>

namespace xgrad::detail {

std::string escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += static_cast<unsigned char>(c) < ' ' && c != '\n' && c != '\t' ? ' ' : c;
    }
  }
  return out;
}

std::string html_page(std::string_view title, std::string_view style, std::string_view body, std::string_view script) {
  std::string page =
      "<!doctype html>\n<html lang='en'>\n<head><meta charset='utf-8'/><meta name='viewport' content='width="
      "device-width, initial-scale=1'/><title>";
  page += escaped(title);
  page += "</title>\n<style>";
  page += style;
  page += "</style></head>\n<body>\n";
  page += body;
  page += "<script>";
  page += script;
  return page + "</script>\n</body>\n</html>\n";
}

std::string fixed(double v, int digits) {
  char buffer[400];  // the largest double has 309 digits before the point
  std::snprintf(buffer, sizeof buffer, "%.*f", digits, v);
  return buffer;
}

std::string brief(double v, int digits) {
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%.*g", digits, std::fabs(v));
  return (std::signbit(v) && v != 0 && !std::isnan(v) ? "−" : "") + std::string(buffer);
}

}  // namespace xgrad::detail
