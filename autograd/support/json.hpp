#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

/// JSON, whose parser and writer are compiled once, in json.cpp: they take seconds.
namespace xgrad::detail {

/// A value whose objects keep the order of their keys.
using Json = nlohmann::ordered_json;

/// What text says. Throws Json::exception if it is no JSON. `visit` is told of each event before a value is kept.
Json parse_json(std::string_view text, const Json::parser_callback_t& visit = nullptr);

/// The value on one line. Throws Json::exception for a string that is not UTF-8.
std::string to_text(const Json& value);

/// The same, but with U+FFFD for what is not UTF-8, and with `indent` >= 0 in lines that are indented by so many
/// blanks.
std::string to_valid_text(const Json& value, int indent = -1);

}  // namespace xgrad::detail
