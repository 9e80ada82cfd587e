#pragma once
#include <cstdint>
#include <string_view>

namespace xgrad::nn::detail {

/// The cyclic redundancy check of Castagnoli's polynomial, as in RFC 3720, of `bytes`, going on from that of what comes
/// before them.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t before = 0);

}  // namespace xgrad::nn::detail
