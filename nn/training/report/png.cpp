// Writes images as PNG (Portable Network Graphics, ISO/IEC 15948), and those as addresses (RFC 2397).
#include <zlib.h>
#include <algorithm>
#include <autograd/error.hpp>
#include <cmath>
#include <nn/training/metrics/common.hpp>
#include <nn/training/report/png.hpp>

namespace xgrad::nn::detail {
namespace {

constexpr std::int64_t most_pixels = 96;

void append(std::string& bytes, std::uint32_t number) {
  for (const int shift : {24, 16, 8, 0}) bytes += static_cast<char>(number >> shift & 255);
}

const Bytef* unsigned_bytes(const std::string& bytes) { return reinterpret_cast<const Bytef*>(bytes.data()); }

std::string chunk(const std::string& type, const std::string& content) {
  const std::string checked = type + content;
  std::string bytes;
  append(bytes, static_cast<std::uint32_t>(content.size()));
  bytes += checked;
  append(bytes, static_cast<std::uint32_t>(
                    crc32(crc32(0, nullptr, 0), unsigned_bytes(checked), static_cast<uInt>(checked.size()))));
  return bytes;
}

std::string deflated(const std::string& bytes) {
  uLongf size = compressBound(static_cast<uLong>(bytes.size()));
  std::string out(size, '\0');
  if (compress2(reinterpret_cast<Bytef*>(out.data()), &size, unsigned_bytes(bytes), static_cast<uLong>(bytes.size()),
                9) != Z_OK)
    throw Error("cannot compress an image: memory is out");
  out.resize(size);
  return out;
}

std::string base64(const std::string& bytes) {
  constexpr char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t three = 0;
    for (std::size_t k = 0; k < 3; ++k)
      three = three << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k) out += i + k > bytes.size() ? '=' : letters[three >> (18 - 6 * k) & 63];
  }
  return out;
}

}  // namespace

bool is_image(const Shape& shape) {
  return (shape.ndim() == 2 || (shape.ndim() == 3 && (shape[0] == 1 || shape[0] == 3))) && shape.size() > 0;
}

std::string picture_address(const Tensor& image) {
  const std::vector<double> v = numbers_of(image);
  const Shape& shape = image.shape();
  const std::int64_t channels = shape.ndim() == 3 ? shape[0] : 1, rows = shape[-2], columns = shape[-1];
  const std::int64_t step = (std::max(rows, columns) + most_pixels - 1) / most_pixels;
  const auto [least, most] = std::minmax_element(v.begin(), v.end());
  const double low = *least >= 0 && *most <= 1 ? 0 : *least, high = *least >= 0 && *most <= 1 ? 1 : *most;
  std::string pixels;
  for (std::int64_t i = 0; i < rows; i += step) {
    pixels += '\0';  // no filter
    for (std::int64_t j = 0; j < columns; j += step) {
      for (std::int64_t c = 0; c < channels; ++c) {
        const double share = (v[static_cast<std::size_t>((c * rows + i) * columns + j)] - low) / (high - low);
        pixels += static_cast<char>(std::isfinite(share) ? static_cast<int>(std::lround(255 * share)) : 0);
      }
    }
  }
  std::string header;
  append(header, static_cast<std::uint32_t>((columns + step - 1) / step));
  append(header, static_cast<std::uint32_t>((rows + step - 1) / step));
  header += {8, static_cast<char>(channels == 3 ? 2 : 0), 0, 0, 0};  // bits, RGB or grey, no variants
  return "data:image/png;base64," +
         base64("\x89PNG\r\n\x1a\n" + chunk("IHDR", header) + chunk("IDAT", deflated(pixels)) + chunk("IEND", ""));
}

}  // namespace xgrad::nn::detail
