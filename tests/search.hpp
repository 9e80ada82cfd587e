#pragma once
#include <string>

inline bool has(const std::string& all, const std::string& part) { return all.find(part) != std::string::npos; }

/// How often `part` stands in `all`, overlapping or not.
inline std::size_t count(const std::string& all, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t i = all.find(part); i != std::string::npos; i = all.find(part, i + 1)) ++n;
  return n;
}
