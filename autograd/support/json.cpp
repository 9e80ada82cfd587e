#include <autograd/support/json.hpp>

namespace xgrad::detail {

Json parse_json(std::string_view text, const Json::parser_callback_t& visit) {
  return Json::parse(text.begin(), text.end(), visit);
}

std::string to_text(const Json& value) { return value.dump(); }

std::string to_valid_text(const Json& value, int indent) {
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace xgrad::detail
