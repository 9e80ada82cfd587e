#include <autograd/support/system.hpp>
#include <bit>
#include <chrono>
#include <cstring>
#include <fstream>
#include <nn/io/crc32c.hpp>
#include <nn/training/callbacks.hpp>
#include <nn/training/histogram.hpp>

/// Event files: TFRecords (a length, its check, the bytes, their check) of Event messages in protocol buffers
/// (tensorflow/core/util/event.proto, framework/summary.proto).
namespace xgrad::nn {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are written as they lie in memory");

template <class T>
void append(std::string& bytes, T number) {
  char raw[sizeof number];
  std::memcpy(raw, &number, sizeof number);
  bytes.append(raw, sizeof number);
}

/// A message in protocol buffers: each field is a key, its number times 8 plus its type, and a value.
class Message {
 public:
  Message& number(int field, double v) {
    key(field, 1);
    append(bytes_, v);
    return *this;
  }
  Message& number(int field, float v) {
    key(field, 5);
    append(bytes_, v);
    return *this;
  }
  Message& whole(int field, std::uint64_t n) {
    key(field, 0);
    varint(n);
    return *this;
  }
  Message& text(int field, std::string_view value) {
    key(field, 2);
    varint(value.size());
    bytes_ += value;
    return *this;
  }
  Message& numbers(int field, const std::vector<double>& values) {
    std::string packed;
    for (const double v : values) append(packed, v);
    return text(field, packed);
  }
  const std::string& bytes() const { return bytes_; }

 private:
  void key(int field, int type) { varint(static_cast<std::uint64_t>(field * 8 + type)); }
  void varint(std::uint64_t n) {
    for (; n >= 128; n >>= 7) bytes_ += static_cast<char>((n & 127) | 128);
    bytes_ += static_cast<char>(n);
  }

  std::string bytes_;
};

std::uint32_t masked(std::uint32_t check) { return std::rotr(check, 15) + 0xa282ead8u; }

std::string record(const Message& message) {
  std::string length;
  append(length, static_cast<std::uint64_t>(message.bytes().size()));
  std::string bytes = length;
  append(bytes, masked(detail::crc32c(length)));
  bytes += message.bytes();
  append(bytes, masked(detail::crc32c(message.bytes())));
  return bytes;
}

Message event(std::uint64_t step) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  Message message;
  message.number(1, std::chrono::duration<double>(now).count()).whole(2, step);
  return message;
}

Message value(const std::string& tag) { return Message().text(1, tag); }

Message histogram(const Tensor& t) {
  const Histogram h = detail::histogram_of(t);
  constexpr std::size_t bins = Histogram::bins;
  const double range = h.high / bins - h.low / bins, width = range > 0 ? range : 1;
  std::vector<double> limits(bins);
  for (std::size_t i = 0; i < bins; ++i)
    limits[i] = i + 1 == bins && range > 0 ? h.high : h.low + width * static_cast<double>(i + 1);
  Message message;
  message.number(1, h.low).number(2, h.high).number(3, h.total()).number(4, h.sum);
  message.number(5, h.squares).numbers(6, limits).numbers(7, {h.counts.begin(), h.counts.end()});
  return message;
}

void append_to(const FilePath& path, const std::string& bytes, Place place) {
  std::ofstream file(system::native(path), std::ios::binary | std::ios::app);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!file.flush()) OpScope("TensorBoard", place).fail<FileError>("cannot write '", path, "'");
}

}  // namespace

void TensorBoard::before_run(Run&) {
  const OpScope scope("TensorBoard", place_);
  const std::filesystem::path folder = system::native(folder_);
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (!std::filesystem::is_directory(folder))
    scope.fail<FileError>("cannot make the folder '", folder, "': ", error.message());
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch());
  std::string name = text("events.out.tfevents.", seconds.count(), ".xgrad");
  for (int i = 1; std::filesystem::exists(folder / name); ++i)
    name = text("events.out.tfevents.", seconds.count(), ".xgrad.", i);
  file_ = folder / name;
  append_to(file_, record(event(0).text(3, "brain.Event:2")), place_);
}

void TensorBoard::after_epoch(Run& run) {
  const auto step = static_cast<std::uint64_t>(run.epoch());
  Message summary;
  for (const auto& [name, score] : run.scores())
    summary.text(1, value(name).number(2, static_cast<float>(score)).bytes());
  if (options_.histograms) {
    for (const auto& [name, p] : run.trainer().model().named_parameters(place_)) {
      summary.text(1, value("parameters/" + name).text(5, histogram(p).bytes()).bytes());
      if (p.has_grad()) summary.text(1, value("gradients/" + name).text(5, histogram(p.grad()).bytes()).bytes());
    }
  }
  append_to(file_, record(event(step).text(5, summary.bytes())), place_);
}

}  // namespace xgrad::nn
