#include <algorithm>
#include <autograd/atomic_file.hpp>
#include <bit>
#include <cmath>
#include <cstring>
#include <nn/data/bytes.hpp>
#include <nn/data/idx.hpp>

/// Reads IDX files, raw or compressed, and checks every size against the file's.
namespace xgrad::nn {
namespace {

struct ElementType {
  std::uint8_t code;
  std::size_t bytes;
  bool is_integer;
  Dtype natural;
};

constexpr ElementType element_types[] = {{0x08, 1, true, i64}, {0x09, 1, true, i64},  {0x0B, 2, true, i64},
                                         {0x0C, 4, true, i64}, {0x0D, 4, false, f32}, {0x0E, 8, false, f64}};

template <class T, std::size_t n>
T big_endian(const std::uint8_t* from) {
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < n; ++i) bits = bits << 8 | from[i];
  if constexpr (std::is_same_v<T, float>) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(bits));
  } else if constexpr (std::is_same_v<T, double>) {
    return std::bit_cast<double>(bits);
  } else {
    return static_cast<T>(bits);
  }
}

/// Converts elements up to the first finite one that is none in a To; returns how many.
template <class From, class To>
std::size_t convert(const std::uint8_t* from, To* to, std::size_t count, double scale) {
  const auto one = [&](From x) {
    if constexpr (std::is_floating_point_v<To>) {
      return scale == 1 ? static_cast<To>(x) : static_cast<To>(static_cast<double>(x) * scale);
    } else {
      return static_cast<To>(x);
    }
  };
  const auto overflows = [](From x, To y) {
    return std::is_floating_point_v<To> && std::isinf(static_cast<double>(y)) && !std::isinf(static_cast<double>(x));
  };
  if constexpr (sizeof(From) == 1) {
    To table[256];
    for (int x = 0; x < 256; ++x) table[x] = one(static_cast<From>(x));
    for (std::size_t i = 0; i < count; ++i)
      if (overflows(0, to[i] = table[from[i]])) return i;
  } else {
    for (std::size_t i = 0; i < count; ++i) {
      const From x = big_endian<From, sizeof(From)>(from + i * sizeof(From));
      if (overflows(x, to[i] = one(x))) return i;
    }
  }
  return count;
}

template <class To>
std::size_t convert(std::uint8_t code, const std::uint8_t* from, To* to, std::size_t count, double scale) {
  switch (code) {
    case 0x08:
      return convert<std::uint8_t>(from, to, count, scale);
    case 0x09:
      return convert<std::int8_t>(from, to, count, scale);
    case 0x0B:
      return convert<std::int16_t>(from, to, count, scale);
    case 0x0C:
      return convert<std::int32_t>(from, to, count, scale);
  }
  if constexpr (std::is_floating_point_v<To>) {
    if (code == 0x0D) return convert<float>(from, to, count, scale);
    return convert<double>(from, to, count, scale);
  }
  return 0;
}

std::string hex(const std::uint8_t* bytes, std::size_t n) {
  constexpr char digits[] = "0123456789ABCDEF";
  std::string s;
  for (std::size_t i = 0; i < n; ++i) {
    if (i > 0) s += ' ';
    s += {digits[bytes[i] >> 4], digits[bytes[i] & 15]};
  }
  return s;
}

/// One pass through the bytes of one file.
class Decoder {
 public:
  Decoder(std::string_view content, const IdxOptions& options, const std::string& name, const OpScope& scope)
      : in_(content), options_(options), name_(name), scope_(scope) {}

  Tensor decode() {
    read_header();
    const Dtype dtype = options_.dtype.value_or(type_->natural);
    if (dtype == boolean || (dtype == i64 && !type_->is_integer))
      scope_.fail<DtypeError>(name_, " holds ", type_->is_integer ? "integers" : "floating numbers",
                              ", which cannot be read as ", name_of(dtype),
                              type_->is_integer ? "; use i64, f32 or f64" : "; use f32 or f64");
    if (!std::isfinite(options_.scale) || (options_.scale != 1 && dtype == i64))
      scope_.fail<ValueError>("scale is ", options_.scale, " for ", name_of(dtype),
                              "; it must be finite, and 1 for i64; read as f32 or f64 to scale");
    Array array(dtype, shape_);
    fill(array);
    std::uint8_t extra;
    if (in_.read(&extra, 1) > 0)
      scope_.fail<FileError>(name_, " has bytes left over after the ", needed_, " that its shape ", shape_, " needs",
                             in_.compressed() ? "" : text("; the file has ", in_.most()));
    check_stream();
    return Tensor(std::move(array));
  }

 private:
  void check_stream() const {
    if (!in_.fault().empty()) scope_.fail<FileError>(name_, ": ", in_.fault());
  }

  void read_exactly(std::uint8_t* to, std::size_t n, const char* what) {
    const std::size_t got = in_.read(to, n);
    read_ += got;
    if (got == n) return;
    check_stream();
    if (read_ == 0) scope_.fail<FileError>(name_, " is empty");
    scope_.fail<FileError>(name_, " is cut short: it ends after ", read_, " bytes, within the ", what);
  }

  void read_header() {
    std::uint8_t magic[4];
    read_exactly(magic, 4, "header");
    if (magic[0] != 0 || magic[1] != 0)
      scope_.fail<FileError>(name_, " is not an IDX file: it begins with ", hex(magic, 4),
                             ", expected 00 00, a type and a number of axes");
    const auto* const type = std::find_if(std::begin(element_types), std::end(element_types),
                                          [&](const ElementType& t) { return t.code == magic[2]; });
    if (type == std::end(element_types))
      scope_.fail<FileError>(name_, " has the element type ", hex(magic + 2, 1),
                             "; IDX knows 08, 09, 0B, 0C, 0D and 0E");
    type_ = type;
    if (magic[3] == 0 || magic[3] > Shape::max_ndim)
      scope_.fail<FileError>(name_, " has ", int{magic[3]}, " axes; expected 1 to ", Shape::max_ndim);
    needed_ = 4 + 4 * std::uint64_t{magic[3]};
    std::uint64_t bytes = type->bytes;
    bool overflows = false, empty = false;
    for (int axis = 0; axis < magic[3]; ++axis) {
      std::uint8_t size[4];
      read_exactly(size, 4, "sizes of its axes");
      shape_.push_back(big_endian<std::int64_t, 4>(size));
      empty |= shape_[axis] == 0;
      if (shape_[axis] > 0)
        overflows |= __builtin_mul_overflow(bytes, static_cast<std::uint64_t>(shape_[axis]), &bytes);
    }
    if (overflows || bytes > (std::uint64_t{1} << 56))
      scope_.fail<FileError>(name_, " has the shape ", shape_, ", which is more bytes than can be counted");
    if (!empty) needed_ += bytes;
    if (needed_ > in_.most())
      scope_.fail<FileError>(name_, " needs ", needed_, " bytes for its shape ", shape_, ", the file has ",
                             in_.compressed() ? text("at most ", in_.most()) : text(in_.most()),
                             "; it is cut short, or its sizes are not big-endian");
  }

  void fill(const Array& array) {
    const std::size_t count = static_cast<std::size_t>(array.size());
    constexpr std::size_t chunk = 8192;  // elements
    std::vector<std::uint8_t> buffer(std::min(count, chunk) * type_->bytes);
    for (std::size_t at = 0; at < count; at += chunk) {
      const std::size_t n = std::min(chunk, count - at);
      read_exactly(buffer.data(), n * type_->bytes, "elements");
      const auto converted = [&](auto* to) { return convert(type_->code, buffer.data(), to + at, n, options_.scale); };
      const std::size_t fit = array.dtype() == f32   ? converted(array.data<float>())
                              : array.dtype() == f64 ? converted(array.data<double>())
                                                     : converted(array.data<std::int64_t>());
      if (fit < n) fail_misfit(at + fit, buffer.data() + fit * type_->bytes, array.dtype());
    }
  }

  [[noreturn]] void fail_misfit(std::size_t index, const std::uint8_t* element, Dtype dtype) const {
    double x = 0;
    convert(type_->code, element, &x, 1, 1.0);
    scope_.fail<FileError>(name_, ": element ", index, " is ", x, ", which ",
                           options_.scale == 1 ? "" : text("times the scale ", options_.scale, " "), "does not fit ",
                           name_of(dtype));
  }

  detail::ByteReader in_;
  const IdxOptions& options_;
  const std::string& name_;
  const OpScope& scope_;
  const ElementType* type_ = nullptr;
  Shape shape_;
  std::uint64_t needed_ = 0, read_ = 0;
};

}  // namespace

Tensor parse_idx(std::string_view content, const IdxOptions& options, const std::string& name, Place place) {
  const OpScope scope("parse_idx", place);
  return Decoder(content, options, name, scope).decode();
}

Tensor read_idx(const FilePath& path, const IdxOptions& options, Place place) {
  const OpScope scope("read_idx", place);
  return parse_idx(read_file(path), options, text(path));
}

}  // namespace xgrad::nn
