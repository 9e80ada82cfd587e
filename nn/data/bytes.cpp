#include <zlib.h>

#include <algorithm>
#include <autograd/error.hpp>
#include <cstring>
#include <new>
#include <nn/data/bytes.hpp>

/// Reads bytes from memory, inflating gzip with zlib.
namespace xgrad::nn::detail {

struct ByteReader::Inflater {
  z_stream stream{};
  bool ended = false;

  Inflater() {
    if (inflateInit2(&stream, 15 + 16) != Z_OK) throw std::bad_alloc();  // 16: a gzip header is expected
  }
  ~Inflater() { inflateEnd(&stream); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
};

ByteReader::ByteReader(std::string_view content) : content_(content) {
  if (content.starts_with("\x1f\x8b")) inflater_ = std::make_unique<Inflater>();
}

ByteReader::~ByteReader() = default;

std::uint64_t ByteReader::most() const { return (compressed() ? 1032 : 1) * std::uint64_t{content_.size()}; }

std::size_t ByteReader::read(void* to, std::size_t n) {
  if (compressed()) return inflate_to(to, n);
  n = std::min(n, content_.size() - at_);
  std::memcpy(to, content_.data() + at_, n);
  at_ += n;
  return n;
}

std::size_t ByteReader::inflate_to(void* to, std::size_t n) {
  constexpr std::size_t most_at_once = std::size_t{1} << 30;  // zlib counts in 32 bits
  z_stream& stream = inflater_->stream;
  std::size_t done = 0;
  while (fault_.empty()) {
    if (inflater_->ended) {
      if (at_ == content_.size()) break;
      // A gzip file is one or more members, one after another.
      if (!content_.substr(at_).starts_with("\x1f\x8b")) {
        fault_ = text(content_.size() - at_, " bytes follow the end of the gzip stream");
        break;
      }
      inflateReset(&stream);
      inflater_->ended = false;
    }
    const std::size_t in = std::min(content_.size() - at_, most_at_once), out = std::min(n - done, most_at_once);
    Bytef none = 0;  // zlib takes no null pointer, even for no bytes
    stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(content_.data() + at_));
    stream.avail_in = static_cast<uInt>(in);
    stream.next_out = out > 0 ? static_cast<Bytef*>(to) + done : &none;
    stream.avail_out = static_cast<uInt>(out);
    const int status = inflate(&stream, Z_NO_FLUSH);
    const std::size_t taken = in - stream.avail_in, made = out - stream.avail_out;
    at_ += taken;
    done += made;
    if (status == Z_STREAM_END) {
      inflater_->ended = true;
    } else if (status == Z_BUF_ERROR || (status == Z_OK && taken == 0 && made == 0)) {
      if (done == n && at_ < content_.size()) break;  // only the room is used up
      if (at_ == content_.size()) fault_ = "the gzip stream is cut off";
      break;
    } else if (status != Z_OK) {
      fault_ = text("the gzip stream is damaged: ", stream.msg ? stream.msg : zError(status));
    }
  }
  return done;
}

}  // namespace xgrad::nn::detail
