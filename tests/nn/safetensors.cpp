#include <doctest/doctest.h>
#include <nn/io/safetensors.hpp>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <same_bits.hpp>

using namespace xgrad;
using nn::from_safetensors, nn::to_safetensors;

namespace {

std::string file(const std::string& header, std::size_t data_bytes = 0) {
  const std::uint64_t length = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + std::string(data_bytes, '\0');
}

std::string message(const std::string& bytes) {
  try {
    from_safetensors(bytes, "w.safetensors");
  } catch (const FileError& e) {
    return e.what();
  }
  return "no error";
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
      {file(entry("F32", "[1,1,1,1,1,1,1,1,1]", "[0,4]"), 4), "at most 8 sizes"},
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
  for (std::size_t n = 0; n < bytes.size(); ++n) CHECK(message(bytes.substr(0, n)) != "no error");
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
    try {
      // What loads is a valid file: written again, it holds the same tensors.
      const StateDict loaded = from_safetensors(bytes, "w"), again = from_safetensors(to_safetensors(loaded), "w");
      ++loads;
      bool equal = loaded.size() == again.size();
      for (const auto& [name, t] : loaded) equal = equal && same_bits(t, again.at(name));
      if (!equal) FAIL_CHECK("mutation ", i, " loads unequally");
    } catch (const FileError&) {
    }
  }
  CHECK(loads > 0);
}
