#include <doctest/doctest.h>
#include <nn/io/safetensors.hpp>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "support.hpp"

using namespace xgrad;
using nn::from_safetensors, nn::to_safetensors;

/// The safetensors format: what is kept, and what is refused.
namespace {

std::string file(const std::string& header, std::size_t data_bytes = 0) {
  const std::uint64_t length = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + std::string(data_bytes, '\0');
}

std::string message(const std::string& bytes) {
  return thrown<FileError>([&] { from_safetensors(bytes, "w.safetensors"); });
}

StateDict sample() {
  manual_seed(1);
  return {{"0.weight", randn({3, 2})},
          {"0.bias", zeros({2}, {.dtype = f64})},
          {"größe", tensor({1, -2, 3}, {.dtype = i64})},
          {"mask", tensor({true, false}, {.dtype = boolean})},
          {"scalar", tensor(2.5)},
          {"empty", zeros({0, 4})}};
}

}  // namespace

TEST_CASE("what was saved is loaded with the same names, dtypes, shapes and bits") {
  const StateDict saved = sample(), loaded = from_safetensors(to_safetensors(saved), "w");
  REQUIRE(loaded.size() == saved.size());
  for (const auto& entry : saved) CHECK_MESSAGE(same_bits(entry.second, loaded.at(entry.first)), entry.first);
}

TEST_CASE("NaN payloads, infinities and -0 are kept bitwise") {
  Tensor t = zeros({4}, {.dtype = f64});
  const std::uint64_t payload = 0x7ff80000deadbeef;
  std::memcpy(t.data<double>(), &payload, 8);
  t.data<double>()[1] = -0.0;
  t.data<double>()[2] = std::numeric_limits<double>::infinity();
  const StateDict loaded = from_safetensors(to_safetensors({{"t", t}}), "w");
  CHECK(same_bits(loaded["t"], t));
}

TEST_CASE("the header is padded so that the numbers start at a multiple of eight") {
  std::uint64_t length;
  const std::string bytes = to_safetensors(sample());
  std::memcpy(&length, bytes.data(), 8);
  CHECK(length % 8 == 0);
}

TEST_CASE("an empty or reserved name, or one that is not UTF-8, cannot be saved") {
  CHECK_THROWS_WITH_AS(to_safetensors({{"", tensor(1.)}}), doctest::Contains("cannot be named ''"), ValueError);
  CHECK_THROWS_WITH_AS(to_safetensors({{"__metadata__", tensor(1.)}}), doctest::Contains("cannot be named"),
                       ValueError);
  CHECK_THROWS_WITH_AS(to_safetensors({{"\xff", tensor(1.)}}), doctest::Contains("not UTF-8"), ValueError);
}

TEST_CASE("a name that occurs twice is refused where the tensors are put together") {
  const std::vector<StateDict::Entry> entries{{"a", tensor(1.)}, {"b", tensor(2.)}, {"a", tensor(3.)}};
  const char* const said = "StateDict: the name 'a' occurs twice; give each tensor a name of its own";
  CHECK(message_of<ValueError>([&] { nn::save_tensors("/nonexistent/w", entries); }) == said);
  CHECK(message_of<ValueError>([&] { to_safetensors({{"a", tensor(1.)}, {"a", tensor(3.)}}); }) == said);
}

TEST_CASE("dtypes that no tensor has are converted exactly when asked, and named otherwise") {
  const auto file_of = [](const char* dtype, std::size_t count, const auto& bits) {
    const std::string entry =
        text(R"({"a":{"dtype":")", dtype, R"(","shape":[)", count, R"(],"data_offsets":[0,)", sizeof bits, "]}}");
    return file(entry) + std::string(reinterpret_cast<const char*>(&bits), sizeof bits);
  };
  const auto read = [](const std::string& bytes) { return from_safetensors(bytes, "w", {.convert_dtype = true})["a"]; };
  const std::uint16_t half[] = {0x3C00, 0xC100, 0x0001, 0x03FF, 0x0400, 0x7BFF, 0x8000, 0xFC00, 0x7E00};
  const float halves[] = {1, -2.5, 0x1p-24f, 0x1.ff8p-15f, 0x1p-14f, 65504, -0.f, -INFINITY, NAN};
  const Tensor from_half = read(file_of("F16", 9, half));
  REQUIRE(from_half.dtype() == f32);
  for (int i = 0; i < 8; ++i) CHECK(from_half.data<float>()[i] == halves[i]);
  CHECK(std::signbit(from_half.data<float>()[6]));
  CHECK(std::isnan(from_half.data<float>()[8]));
  const std::uint16_t bfloat[] = {0x3F80, 0xC020, 0x0001, 0x7F7F, 0x8000, 0xFF80, 0x7FC0};
  const float bfloats[] = {1, -2.5, 0x1p-133f, 0x1.fep127f, -0.f, -INFINITY, NAN};
  const Tensor from_bfloat = read(file_of("BF16", 7, bfloat));
  REQUIRE(from_bfloat.dtype() == f32);
  for (int i = 0; i < 6; ++i) CHECK(from_bfloat.data<float>()[i] == bfloats[i]);
  CHECK(std::isnan(from_bfloat.data<float>()[6]));

  const auto check_integers = [&]<class T>(const char* dtype, T) {
    CAPTURE(dtype);
    constexpr bool too_large = std::is_same_v<T, std::uint64_t>;
    const T bits[] = {0, 1, std::numeric_limits<T>::min(), too_large ? T{7} : std::numeric_limits<T>::max()};
    const Tensor t = read(file_of(dtype, 4, bits));
    REQUIRE(t.dtype() == i64);
    for (int i = 0; i < 4; ++i) CHECK(t.data<std::int64_t>()[i] == static_cast<std::int64_t>(bits[i]));
    CHECK(message(file_of(dtype, 4, bits))
              .find(text("'w.safetensors' gives 'a' the dtype ", dtype,
                         "; pass {.convert_dtype = true} to read it as i64")) != std::string::npos);
  };
  check_integers("I8", std::int8_t{});
  check_integers("U8", std::uint8_t{});
  check_integers("I16", std::int16_t{});
  check_integers("U16", std::uint16_t{});
  check_integers("I32", std::int32_t{});
  check_integers("U32", std::uint32_t{});
  check_integers("U64", std::uint64_t{});
  CHECK(message(file_of("F16", 9, half))
            .find("gives 'a' the dtype F16; pass {.convert_dtype = true} to read it as f32") != std::string::npos);

  const std::uint64_t large[] = {1, 0x8000000000000000};
  CHECK_THROWS_WITH_AS(
      read(file_of("U64", 2, large)),
      doctest::Contains("from_safetensors: 'w' gives 'a' 9223372036854775808 as element 1, which does not fit i64"),
      FileError);
  const std::uint8_t eight[] = {1};
  CHECK_THROWS_WITH_AS(
      read(file_of("F8_E4M3", 1, eight)),
      doctest::Contains(
          "from_safetensors: 'w' gives 'a' the dtype F8_E4M3, which cannot be read; write it as F32, F64, I64 or BOOL"),
      FileError);
}

TEST_CASE("metadata is allowed, and must be texts") {
  CHECK(from_safetensors(file(R"({"__metadata__":{"format":"pt"}})"), "w").empty());
  CHECK(message(file(R"({"__metadata__":{"format":1}})")).find("no text") != std::string::npos);
  CHECK(message(file(R"({"__metadata__":3})")).find("no JSON object") != std::string::npos);
}

TEST_CASE("each broken file is refused with the file's name and the reason") {
  const auto entry = [](const char* dtype, const char* shape, const char* offsets) {
    return std::string(R"({"a":{"dtype":")") + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}";
  };
  const std::string deep(100'000, '[');
  const std::pair<std::string, const char*> cases[] = {
      {"", "has 0 bytes, fewer than the 8"},
      {std::string(7, 'x'), "has 7 bytes, fewer than the 8"},
      {std::string(8, '\xff'), "at most 100000000 are allowed"},
      {std::string("\x10\0\0\0\0\0\0\0{}", 10), "declares a header of 16 bytes, but only 2 follow"},
      {file("{"), "not JSON"},
      {file(R"({"a":"\xff"})"), "not JSON"},
      {file("{\"\xff\":1}"), "not JSON"},
      {file("[]"), "no JSON object"},
      {file(R"({"a":)" + deep), "nested deeper"},
      {file(R"({"a":1})"), "something else than dtype, shape and data_offsets"},
      {file(R"({"a":{"dtype":"F32","dtype":"F32","shape":[],"data_offsets":[0,4]}})", 4), "names 'dtype' twice"},
      {file(
           R"({"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}})"),
       "names 'a' twice"},
      {file(R"({"":{"dtype":"F32","shape":[],"data_offsets":[0,4]}})", 4), "without a name"},
      {file(entry("F8", "[]", "[0,1]"), 1), "the dtype F8"},
      {file(entry("F32", "[1.5]", "[0,4]"), 4), "not a whole number"},
      {file(entry("F32", "[-1]", "[0,4]"), 4), "not a whole number"},
      {file(entry("F32", "[1,1,1,1,1,1,1,1,1]", "[0,4]"), 4), "gives 'a' 9 axes, and at most 8 can be read"},
      {file(entry("F32", "[4294967296,4294967296]", "[0,4]"), 4), "more elements than can be counted"},
      {file(entry("F32", "[2]", "[0,4]"), 4), "gives 'a' 4 bytes, but shape (2,) of F32 needs 8"},
      {file(entry("F32", "[1]", "[4,0]"), 4), "puts 'a' at bytes 4 to 0 of 4"},
      {file(entry("F32", "[1]", "[0,4]"), 3), "puts 'a' at bytes 0 to 4 of 3"},
      {file(entry("F32", "[1]", "[0,4]"), 5), "has 1 bytes after the last tensor"},
      {file(entry("F32", "[1]", "[4,8]"), 8), "has a hole before 'a'"},
      {file(entry("F32", "[1]", "[0]"), 4), "no two numbers"},
      {file(
           R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
           8),
       "has overlapping tensors before 'b'"},
      {file(entry("BOOL", "[1]", "[0,1]")) + "\2", "neither 0 nor 1"},
  };
  for (const auto& refused : cases) {
    const std::string text = message(refused.first);
    CHECK_MESSAGE(text.find(refused.second) != std::string::npos, text, " should say ", refused.second);
    CHECK(text.find("'w.safetensors'") != std::string::npos);
  }
}

TEST_CASE("names of a megabyte, sizes of 0 and shape [] are read") {
  const std::string name(1 << 20, 'n');
  const StateDict saved = {{name, zeros({0, 3})}, {"s", tensor(1.)}};
  CHECK(from_safetensors(to_safetensors(saved), "w").size() == 2);
}

TEST_CASE("every prefix of a file is refused") {
  const std::string bytes = to_safetensors(sample());
  for (std::size_t n = 0; n < bytes.size(); ++n)
    CHECK_THROWS_AS(from_safetensors(bytes.substr(0, n), "w.safetensors"), FileError);
}

TEST_CASE("10^5 mutations of a file give an error or an equal load of the bytes, never a crash") {
  const std::string valid = to_safetensors(sample());
  std::mt19937_64 random(7);
  int loads = 0;
  for (int i = 0; i < 100'000; ++i) {
    std::string bytes = valid;
    for (std::uint64_t flips = random() % 3 + 1; flips > 0; --flips)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    if (random() % 8 == 0) bytes.erase(random() % bytes.size(), random() % 16);
    const nn::LoadOptions options{.convert_dtype = random() % 2 == 0};
    try {
      // What loads is a valid file: written again, it holds the same tensors.
      const StateDict loaded = from_safetensors(bytes, "w", options),
                      again = from_safetensors(to_safetensors(loaded), "w");
      ++loads;
      bool equal = loaded.size() == again.size();
      for (const auto& [name, t] : loaded) equal = equal && same_bits(t, again.at(name));
      if (!equal) FAIL_CHECK("mutation ", i, " loads unequally");
    } catch (const FileError&) {
    }
  }
  CHECK(loads > 0);
}
