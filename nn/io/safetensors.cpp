#include <algorithm>
#include <autograd/atomic_file.hpp>
#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>
#include <nn/io/safetensors.hpp>
#include <set>

namespace xgrad::nn {
namespace {

static_assert(std::endian::native == std::endian::little, "the format is little-endian");

using Json = nlohmann::ordered_json;

constexpr std::uint64_t longest_header = 100'000'000;
constexpr const char* metadata = "__metadata__";
constexpr std::pair<const char*, Dtype> dtype_names[] = {{"F32", f32}, {"F64", f64}, {"I64", i64}, {"BOOL", boolean}};

const char* format_name(Dtype dtype) {
  for (const auto& [name, d] : dtype_names)
    if (d == dtype) return name;
  return "";
}

/// Reads one file's bytes; every failure names the source.
class Reader {
 public:
  Reader(std::string_view bytes, const std::string& source, const OpScope& scope)
      : bytes_(bytes), source_(source), scope_(scope) {}

  StateDict read() {
    if (bytes_.size() < 8) fail("has ", bytes_.size(), " bytes, fewer than the 8 of its header's length");
    std::uint64_t length;
    std::memcpy(&length, bytes_.data(), 8);
    if (length > longest_header)
      fail("declares a header of ", length, " bytes; at most ", longest_header, " are allowed");
    if (length > bytes_.size() - 8)
      fail("declares a header of ", length, " bytes, but only ", bytes_.size() - 8, " follow");
    data_ = bytes_.substr(8 + length);
    const Json header = parse(bytes_.substr(8, length));
    for (const auto& [name, entry] : header.items()) {
      if (name == metadata) {
        check_metadata(entry);
      } else {
        entries_.push_back(check_entry(name, entry));
      }
    }
    return tensors();
  }

 private:
  struct Entry {
    std::string name;
    Dtype dtype;
    Shape shape;
    std::uint64_t begin, end;
  };

  template <class... Parts>
  [[noreturn]] void fail(const Parts&... parts) const {
    scope_.fail<FileError>("'", source_, "' is not a valid safetensors file: it ", parts...);
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
      Json json = Json::parse(header.begin(), header.end(), check);
      if (!json.is_object()) fail("has a header that is no JSON object");
      return json;
    } catch (const Json::exception& e) {
      fail("has a header that is not JSON: ", e.what());
    }
  }

  void check_metadata(const Json& entry) const {
    if (!entry.is_object()) fail("has ", metadata, " that is no JSON object");
    for (const auto& [key, value] : entry.items())
      if (!value.is_string()) fail("has ", metadata, " whose '", key, "' is no text");
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
    const auto known = std::find_if(std::begin(dtype_names), std::end(dtype_names),
                                    [&](const auto& d) { return d.first == dtype.get<std::string>(); });
    if (known == std::end(dtype_names))
      fail("gives '", name, "' the dtype ", dtype.get<std::string>(), "; only F32, F64, I64 and BOOL can be read");
    if (!shape.is_array() || shape.size() > Shape::max_ndim)
      fail("gives '", name, "' a shape that is no list of at most ", int{Shape::max_ndim}, " sizes");
    Entry e{name, known->second, {}, 0, 0};
    std::uint64_t bytes = size_of(e.dtype);
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
      fail("gives '", name, "' ", e.end - e.begin, " bytes, but shape ", e.shape, " of ", dtype.get<std::string>(),
           " needs ", bytes);
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
      Array array(e.dtype, e.shape);
      if (e.end > e.begin) std::memcpy(array.data(), data_.data() + e.begin, e.end - e.begin);
      if (e.dtype == boolean) check_booleans(e, array);
      result.set(e.name, Tensor(std::move(array)));
    }
    return result;
  }

  /// A byte that is neither 0 nor 1 is no bool: reading it as one would be undefined.
  void check_booleans(const Entry& e, const Array& array) const {
    const auto* const p = array.data<unsigned char>();
    if (std::any_of(p, p + array.size(), [](unsigned char b) { return b > 1; }))
      fail("has a byte in '", e.name, "' that is neither 0 nor 1");
  }

  std::string_view bytes_, data_;
  const std::string& source_;
  const OpScope& scope_;
  std::vector<Entry> entries_;
};

}  // namespace

std::string to_safetensors(const StateDict& tensors, Place place) {
  const OpScope scope("to_safetensors", place);
  Json header = Json::object();
  std::size_t at = 0;
  for (const auto& [name, t] : tensors) {
    if (name.empty() || name == metadata) scope.fail<ValueError>("a tensor cannot be named '", name, "'");
    const std::size_t end = at + t.array().bytes();
    header[name] = {{"dtype", format_name(t.dtype())},
                    {"shape", std::vector<std::int64_t>(t.shape().begin(), t.shape().end())},
                    {"data_offsets", {at, end}}};
    at = end;
  }
  std::string text;
  try {
    text = header.dump();
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

StateDict from_safetensors(std::string_view bytes, const std::string& source, Place place) {
  const OpScope scope("load", place);
  return Reader(bytes, source, scope).read();
}

void save_tensors(const std::string& path, const StateDict& tensors, Place place) {
  write_file_atomically(path, to_safetensors(tensors, place), place);
}

StateDict load_tensors(const std::string& path, Place place) {
  return from_safetensors(read_file(path, place), path, place);
}

}  // namespace xgrad::nn
