#include <algorithm>
#include <autograd/atomic_file.hpp>
#include <autograd/support/json.hpp>
#include <bit>
#include <cmath>
#include <cstring>
#include <nn/io/safetensors.hpp>
#include <set>

/// Reads and writes safetensors, and refuses whatever the format forbids.
namespace xgrad::nn {
namespace {

static_assert(std::endian::native == std::endian::little, "the format is little-endian");

using xgrad::detail::Json;

constexpr std::uint64_t longest_header = 100'000'000;
constexpr const char* metadata_key = "__metadata__";

/// A dtype of the format, and the one whose tensor holds its numbers.
struct Format {
  const char* name;
  std::size_t bytes;
  Dtype dtype;
  void (*convert)(const char* from, void* to);  // one number that a tensor stores otherwise; null if alike
};

template <class From>
void widen(const char* from, void* to) {
  From x;
  std::memcpy(&x, from, sizeof x);
  *static_cast<std::int64_t*>(to) = static_cast<std::int64_t>(x);
}

/// IEEE's 16-bit number: a sign, 5 bits of exponent and 10 of the fraction.
void widen_half(const char* from, void* to) {
  std::uint16_t half;
  std::memcpy(&half, from, sizeof half);
  const std::uint32_t exponent = half >> 10 & 31u, fraction = half & 1023u, sign = (half & 0x8000u) << 16;
  const std::uint32_t magnitude = exponent == 0
                                      ? std::bit_cast<std::uint32_t>(std::ldexp(static_cast<float>(fraction), -24))
                                      : (exponent == 31 ? 255 : exponent + 112) << 23 | fraction << 13;
  *static_cast<float*>(to) = std::bit_cast<float>(sign | magnitude);
}

/// The upper half of an f32.
void widen_bfloat(const char* from, void* to) {
  std::uint16_t half;
  std::memcpy(&half, from, sizeof half);
  *static_cast<float*>(to) = std::bit_cast<float>(std::uint32_t{half} << 16);
}

constexpr Format formats[] = {{"F32", 4, f32, nullptr},
                              {"F64", 8, f64, nullptr},
                              {"I64", 8, i64, nullptr},
                              {"BOOL", 1, boolean, nullptr},
                              {"F16", 2, f32, widen_half},
                              {"BF16", 2, f32, widen_bfloat},
                              {"I8", 1, i64, widen<std::int8_t>},
                              {"U8", 1, i64, widen<std::uint8_t>},
                              {"I16", 2, i64, widen<std::int16_t>},
                              {"U16", 2, i64, widen<std::uint16_t>},
                              {"I32", 4, i64, widen<std::int32_t>},
                              {"U32", 4, i64, widen<std::uint32_t>},
                              {"U64", 8, i64, widen<std::uint64_t>}};

const char* format_name(Dtype dtype) {
  return std::find_if(std::begin(formats), std::end(formats), [=](const Format& f) { return f.dtype == dtype; })->name;
}

/// Reads one file's bytes; every failure names the source.
class Reader {
 public:
  Reader(std::string_view bytes, const std::string& source, LoadOptions options, const OpScope& scope)
      : bytes_(bytes), source_(source), options_(options), scope_(scope) {}

  StateDict read() {
    const Json json = header();
    for (const auto& [name, entry] : json.items()) {
      if (name == metadata_key) {
        check_metadata(entry);
      } else {
        entries_.push_back(check_entry(name, entry));
      }
    }
    return tensors();
  }

  Metadata metadata() {
    const Json json = header();
    Metadata texts;
    if (!json.contains(metadata_key)) return texts;
    check_metadata(json[metadata_key]);
    for (const auto& [key, value] : json[metadata_key].items()) texts.emplace_back(key, value.get<std::string>());
    return texts;
  }

 private:
  Json header() {
    if (bytes_.size() < 8) fail("has ", bytes_.size(), " bytes, fewer than the 8 of its header's length");
    std::uint64_t length;
    std::memcpy(&length, bytes_.data(), 8);
    if (length > longest_header)
      fail("declares a header of ", length, " bytes; at most ", longest_header, " are allowed");
    if (length > bytes_.size() - 8)
      fail("declares a header of ", length, " bytes, but only ", bytes_.size() - 8, " follow");
    data_ = bytes_.substr(8 + length);
    return parse(bytes_.substr(8, length));
  }

  struct Entry {
    std::string name;
    const Format* format;
    Shape shape;
    std::uint64_t begin, end;
  };

  template <class... Parts>
  [[noreturn]] void fail(const Parts&... parts) const {
    scope_.fail<FileError>("'", source_, "' is not a valid safetensors file: it ", parts...);
  }

  /// About a valid file that holds what no tensor can.
  template <class... Parts>
  [[noreturn]] void refuse(const std::string& name, const Parts&... parts) const {
    scope_.fail<FileError>("'", source_, "' gives '", name, "' ", parts...);
  }

  /// Refuses duplicate keys, which the parser would silently merge, and nesting that no valid header has.
  Json parse(std::string_view header) const {
    std::set<std::string> names[4];
    const auto check = [&](int depth, Json::parse_event_t event, Json& parsed) {
      using Event = Json::parse_event_t;
      if (depth > 3) fail("has a header nested deeper than a tensor's description");
      if (event == Event::object_start && depth + 1 < 4) names[depth + 1].clear();
      if (event == Event::key && !names[depth].insert(parsed.get<std::string>()).second)
        fail("names '", parsed.get<std::string>(), "' twice");
      return true;
    };
    try {
      Json json = xgrad::detail::parse_json(header, check);
      if (!json.is_object()) fail("has a header that is no JSON object");
      return json;
    } catch (const Json::exception& e) {
      fail("has a header that is not JSON: ", e.what());
    }
  }

  void check_metadata(const Json& entry) const {
    if (!entry.is_object()) fail("has ", metadata_key, " that is no JSON object");
    for (const auto& [key, value] : entry.items())
      if (!value.is_string()) fail("has ", metadata_key, " whose '", key, "' is no text");
  }

  std::uint64_t check_count(const std::string& name, const char* what, const Json& number) const {
    if (!number.is_number_unsigned()) fail("gives '", name, "' ", what, " that is not a whole number from 0 on");
    return number.get<std::uint64_t>();
  }

  Entry check_entry(const std::string& name, const Json& entry) const {
    if (name.empty()) fail("has a tensor without a name");
    if (!entry.is_object() || entry.size() != 3 || !entry.contains("dtype") || !entry.contains("shape") ||
        !entry.contains("data_offsets"))
      fail("describes '", name, "' by something else than dtype, shape and data_offsets");
    const Json &dtype = entry["dtype"], &shape = entry["shape"], &offsets = entry["data_offsets"];
    if (!dtype.is_string()) fail("gives '", name, "' a dtype that is no text");
    const Format* const format = std::find_if(std::begin(formats), std::end(formats),
                                              [&](const Format& f) { return f.name == dtype.get<std::string>(); });
    if (format == std::end(formats))
      refuse(name, "the dtype ", dtype.get<std::string>(), ", which cannot be read; write it as F32, F64, I64 or BOOL");
    if (format->convert && !options_.convert_dtype)
      refuse(name, "the dtype ", format->name, "; pass {.convert_dtype = true} to read it as ", name_of(format->dtype));
    if (!shape.is_array()) fail("gives '", name, "' a shape that is no list");
    if (shape.size() > Shape::max_ndim)
      refuse(name, shape.size(), " axes, and at most ", int{Shape::max_ndim}, " can be read; reshape it");
    Entry e{name, format, {}, 0, 0};
    std::uint64_t bytes = format->bytes;
    bool empty = false, overflow = false;
    for (const Json& size : shape) {
      const std::uint64_t n = check_count(name, "a size", size);
      overflow |= n > std::uint64_t{1} << 59;
      empty |= n == 0;
      if (n != 0) overflow |= __builtin_mul_overflow(bytes, n, &bytes);
      if (!overflow) e.shape.push_back(static_cast<std::int64_t>(n));
    }
    if (overflow) fail("gives '", name, "' more elements than can be counted");
    if (empty) bytes = 0;
    if (!offsets.is_array() || offsets.size() != 2) fail("gives '", name, "' data_offsets that are no two numbers");
    e.begin = check_count(name, "an offset", offsets[0]);
    e.end = check_count(name, "an offset", offsets[1]);
    if (e.begin > e.end || e.end > data_.size())
      fail("puts '", name, "' at bytes ", e.begin, " to ", e.end, " of ", data_.size());
    if (e.end - e.begin != bytes)
      fail("gives '", name, "' ", e.end - e.begin, " bytes, but shape ", e.shape, " of ", format->name, " needs ",
           bytes);
    return e;
  }

  StateDict tensors() {
    std::stable_sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
      return a.begin != b.begin ? a.begin < b.begin : a.end < b.end;
    });
    std::uint64_t at = 0;
    for (const Entry& e : entries_) {
      if (e.begin != at) fail(e.begin < at ? "has overlapping tensors" : "has a hole", " before '", e.name, "'");
      at = e.end;
    }
    if (at != data_.size()) fail("has ", data_.size() - at, " bytes after the last tensor");
    StateDict result;
    for (const Entry& e : entries_) {
      Array array(e.format->dtype, e.shape);
      if (e.end > e.begin) fill(e, array);
      result.set(e.name, Tensor(std::move(array)));
    }
    return result;
  }

  void fill(const Entry& e, Array& array) const {
    const char* from = data_.data() + e.begin;
    if (!e.format->convert) {
      std::memcpy(array.data(), from, e.end - e.begin);
      if (e.format->dtype == boolean) check_booleans(e, array);
      return;
    }
    auto* to = static_cast<char*>(array.data());
    for (std::int64_t i = 0; i < array.size(); ++i, from += e.format->bytes, to += size_of(array.dtype()))
      e.format->convert(from, to);
    if (e.format->convert != widen<std::uint64_t>) return;
    const std::int64_t *const x = array.data<std::int64_t>(), *const end = x + array.size();
    if (const auto* const wrapped = std::find_if(x, end, [](std::int64_t n) { return n < 0; }); wrapped != end)
      refuse(e.name, static_cast<std::uint64_t>(*wrapped), " as element ", wrapped - x, ", which does not fit i64");
  }

  /// A byte that is neither 0 nor 1 is no bool: reading it as one would be undefined.
  void check_booleans(const Entry& e, const Array& array) const {
    const auto* const p = array.data<unsigned char>();
    if (std::any_of(p, p + array.size(), [](unsigned char b) { return b > 1; }))
      fail("has a byte in '", e.name, "' that is neither 0 nor 1");
  }

  std::string_view bytes_, data_;
  const std::string& source_;
  const LoadOptions options_;
  const OpScope& scope_;
  std::vector<Entry> entries_;
};

}  // namespace

std::string to_safetensors(const StateDict& tensors, Place place) { return to_safetensors(tensors, {}, place); }

std::string to_safetensors(const StateDict& tensors, const Metadata& metadata, Place place) {
  const OpScope scope("to_safetensors", place);
  Json header = Json::object();
  for (const auto& [key, value] : metadata) header[metadata_key][key] = value;
  std::size_t at = 0;
  for (const auto& [name, t] : tensors) {
    if (name.empty() || name == metadata_key) scope.fail<ValueError>("a tensor cannot be named '", name, "'");
    const std::size_t end = at + t.array().bytes();
    header[name] = {{"dtype", format_name(t.dtype())},
                    {"shape", std::vector<std::int64_t>(t.shape().begin(), t.shape().end())},
                    {"data_offsets", {at, end}}};
    at = end;
  }
  std::string text;
  try {
    text = xgrad::detail::to_text(header);
  } catch (const Json::exception& e) {
    scope.fail<ValueError>("a tensor's name is not UTF-8: ", e.what());
  }
  text.resize((text.size() + 7) / 8 * 8, ' ');  // so that the numbers start at a multiple of eight
  const std::uint64_t length = text.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  bytes.reserve(8 + text.size() + at);
  bytes += text;
  for (const auto& [name, t] : tensors) bytes.append(t.array().data<char>(), t.array().bytes());
  return bytes;
}

StateDict from_safetensors(std::string_view bytes, const std::string& source, LoadOptions options, Place place) {
  const OpScope scope("from_safetensors", place);
  return Reader(bytes, source, options, scope).read();
}

Metadata safetensors_metadata(std::string_view bytes, const std::string& source, Place place) {
  const OpScope scope("safetensors_metadata", place);
  return Reader(bytes, source, {}, scope).metadata();
}

void save_tensors(const FilePath& path, const StateDict& tensors, Place place) {
  const OpScope scope("save_tensors", place);
  write_file_atomically(path, to_safetensors(tensors, place), place);
}

StateDict load_tensors(const FilePath& path, LoadOptions options, Place place) {
  const OpScope scope("load_tensors", place);
  return from_safetensors(read_file(path, place), text(path), options, place);
}

}  // namespace xgrad::nn
