#include <array>
#include <cstring>
#include <nn/io/crc32c.hpp>

namespace xgrad::nn::detail {
namespace {

// tables[k][b] is the effect of the byte b with k more bytes behind it, so that eight are done at a time.
constexpr auto tables = [] {
  std::array<std::array<std::uint32_t, 256>, 8> t{};
  for (std::uint32_t b = 0; b < 256; ++b) {
    std::uint32_t c = b;
    for (int bit = 0; bit < 8; ++bit) c = c >> 1 ^ (c & 1 ? 0x82f63b78u : 0u);
    t[0][b] = c;
  }
  for (std::size_t k = 1; k < 8; ++k)
    for (std::size_t b = 0; b < 256; ++b) t[k][b] = t[k - 1][b] >> 8 ^ t[0][t[k - 1][b] & 255];
  return t;
}();

}  // namespace

std::uint32_t crc32c(std::string_view bytes, std::uint32_t before) {
  std::uint32_t c = ~before;
  for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
    std::uint64_t word;
    std::memcpy(&word, bytes.data(), 8);
    word ^= c;
    c = 0;
    for (std::size_t k = 0; k < 8; ++k) c ^= tables[7 - k][word >> 8 * k & 255];
  }
  for (const char b : bytes) c = c >> 8 ^ tables[0][(c ^ static_cast<unsigned char>(b)) & 255];
  return ~c;
}

}  // namespace xgrad::nn::detail
