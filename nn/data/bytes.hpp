#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

/// A reader of bytes that may be compressed.
namespace xgrad::nn::detail {

/// Hands out bytes in order, and inflates them on the way if they begin as gzip does (RFC 1952).
class ByteReader {
 public:
  explicit ByteReader(std::string_view content);
  ~ByteReader();

  bool compressed() const { return inflater_ != nullptr; }
  /// No more bytes than this can come: what there is, or what deflate's best ratio of 1032 could make of it.
  std::uint64_t most() const;
  /// Writes the next `n` bytes to `to`, fewer only at the end or at a fault; returns how many.
  std::size_t read(void* to, std::size_t n);
  /// What is wrong with the compressed stream; empty if nothing was so far.
  const std::string& fault() const { return fault_; }

 private:
  struct Inflater;
  std::size_t inflate_to(void* to, std::size_t n);

  std::string_view content_;
  std::size_t at_ = 0;
  std::string fault_;
  std::unique_ptr<Inflater> inflater_;
};

}  // namespace xgrad::nn::detail
