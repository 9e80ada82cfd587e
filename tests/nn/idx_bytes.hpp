#pragma once
#include <cstdint>
#include <string>

/// Small IDX files, made by hand.
namespace idx_bytes {

inline std::string bytes(std::initializer_list<int> values) {
  std::string s;
  for (const int v : values) s += static_cast<char>(v);
  return s;
}

/// An IDX file of this element type and these sizes; `elements` are big-endian already.
inline std::string file(int type, std::initializer_list<std::uint32_t> sizes, const std::string& elements) {
  std::string s = bytes({0, 0, type, static_cast<int>(sizes.size())});
  for (const std::uint32_t n : sizes) s += bytes({int(n >> 24), int(n >> 16 & 255), int(n >> 8 & 255), int(n & 255)});
  return s + elements;
}

/// (2, 2, 3) bytes 0, 20, ... 220, and the same as gzip makes it.
inline std::string small() {
  std::string elements;
  for (int i = 0; i < 12; ++i) elements += static_cast<char>(20 * i);
  return file(8, {2, 2, 3}, elements);
}
inline std::string small_gzip() {
  return bytes({31, 139, 8,   0,   0,   0,   0,   0, 2,  3,  99,  96, 224, 96,  102, 96,  96, 96, 130, 98, 102, 6,
                17, 13,  155, 128, 148, 138, 158, 5, 91, 78, 220, 1,  0,   166, 19,  228, 93, 28, 0,   0,  0});
}

}  // namespace idx_bytes
