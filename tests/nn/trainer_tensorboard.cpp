#include <doctest/doctest.h>
#include <algorithm>
#include <autograd/atomic_file.hpp>
#include <cstring>
#include <filesystem>

#include "folder.hpp"
#include "nn/trainer_support.hpp"

using namespace xgrad;

namespace {

/// Reads event files, by their own rules: nothing of the writer is used.
struct EventReader {
  std::string bytes;
  std::size_t at = 0;

  static std::uint32_t check_of(std::string_view data) {  // bit by bit
    std::uint32_t c = ~0u;
    for (const char byte : data) {
      c ^= static_cast<unsigned char>(byte);
      for (int i = 0; i < 8; ++i) c = c & 1 ? c >> 1 ^ 0x82f63b78u : c >> 1;
    }
    c = ~c;
    return (c >> 15 | c << 17) + 0xa282ead8u;
  }
  template <class T>
  static T number(std::string_view& data) {
    T t;
    REQUIRE(data.size() >= sizeof t);
    std::memcpy(&t, data.data(), sizeof t);
    data.remove_prefix(sizeof t);
    return t;
  }
  static std::uint64_t varint(std::string_view& data) {
    std::uint64_t n = 0;
    for (unsigned shift = 0;; shift += 7) {
      REQUIRE(!data.empty());
      const auto byte = static_cast<unsigned char>(data.front());
      data.remove_prefix(1);
      n |= std::uint64_t{byte & 127u} << shift;
      if (byte < 128) return n;
    }
  }
  /// The fields of a message: number and contents.
  static std::vector<std::pair<std::uint64_t, std::string_view>> fields(std::string_view data) {
    std::vector<std::pair<std::uint64_t, std::string_view>> found;
    while (!data.empty()) {
      const std::uint64_t key = varint(data);
      std::size_t size = 0;
      const std::string_view begin = data;
      switch (key & 7) {
        case 0:
          varint(data);
          found.emplace_back(key >> 3, begin.substr(0, begin.size() - data.size()));
          continue;
        case 1:
          size = 8;
          break;
        case 2:
          size = varint(data);
          break;
        case 5:
          size = 4;
          break;
        default:
          FAIL("a type that events do not have");
      }
      REQUIRE(size <= data.size());
      found.emplace_back(key >> 3, data.substr(0, size));
      data.remove_prefix(size);
    }
    return found;
  }
  bool next(std::string_view& event) {
    if (at == bytes.size()) return false;
    std::string_view rest = std::string_view(bytes).substr(at);
    const std::string_view length_bytes = rest.substr(0, 8);
    const auto length = number<std::uint64_t>(rest);
    CHECK(number<std::uint32_t>(rest) == check_of(length_bytes));
    REQUIRE(length + 4 <= rest.size());
    event = rest.substr(0, length);
    rest.remove_prefix(length);
    CHECK(number<std::uint32_t>(rest) == check_of(event));
    at = bytes.size() - rest.size();
    return true;
  }
};

}  // namespace

TEST_CASE("TensorBoard's event files hold scores and histograms, with the right checks") {
  const Folder folder;
  auto l = learner();
  const nn::History history = l.trainer.fit(
      blobs(64),
      quiet({.epochs = 2, .validation = blobs(20), .callbacks = {nn::TensorBoard{folder.path / "runs" / "a"}}}));
  std::filesystem::path file;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path / "runs" / "a")) file = entry.path();
  CHECK(file.filename().string().starts_with("events.out.tfevents."));
  EventReader reader{read_file(file)};
  std::string_view event;
  REQUIRE(reader.next(event));
  bool versioned = false;
  for (const auto& [field, contents] : EventReader::fields(event))
    versioned |= field == 3 && contents == "brain.Event:2";
  CHECK(versioned);
  for (std::uint64_t epoch = 1; epoch <= 2; ++epoch) {
    REQUIRE(reader.next(event));
    nn::Scores scalars;
    std::size_t histograms = 0;
    for (auto [field, contents] : EventReader::fields(event)) {
      if (field == 2) CHECK(EventReader::varint(contents) == epoch);
      if (field != 5) continue;
      for (const auto& summary : EventReader::fields(contents)) {
        std::string tag;
        for (auto [part, value] : EventReader::fields(summary.second)) {
          if (part == 1) tag = value;
          if (part == 2) scalars.set(tag, EventReader::number<float>(value));
          if (part != 5) continue;
          ++histograms;
          double count = 0, in_bins = 0;
          std::vector<double> limits;
          for (auto [h, numbers] : EventReader::fields(value)) {
            if (h == 3) count = EventReader::number<double>(numbers);
            while (h == 6 && !numbers.empty()) limits.push_back(EventReader::number<double>(numbers));
            while (h == 7 && !numbers.empty()) in_bins += EventReader::number<double>(numbers);
          }
          CHECK(count == in_bins);
          CHECK(limits.size() == 30);
          CHECK(std::is_sorted(limits.begin(), limits.end()));
          if (tag == "parameters/0.weight") CHECK(count == 32);
        }
      }
    }
    CHECK(histograms == 8);
    CHECK(scalars.size() == history.names().size());
    for (const auto& [name, value] : scalars) {
      CAPTURE(name);
      CHECK(value == doctest::Approx(history[name][epoch - 1]).epsilon(1e-6));
    }
  }
  CHECK(!reader.next(event));
}
