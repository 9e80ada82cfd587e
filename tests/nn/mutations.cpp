#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/data/csv.hpp>
#include <nn/data/idx.hpp>

#include <random>

#include "idx_bytes.hpp"

using namespace xgrad;

/// Readers of files against damaged content.
namespace {

struct Tally {
  int loads = 0, errors = 0;
};

/// Whether `read` loads or throws one of this library's errors; anything else fails the test.
template <class Read>
bool loads(const std::string& content, Tally& tally, Read read) {
  try {
    read(content);
    ++tally.loads;
    return true;
  } catch (const Error&) {
    ++tally.errors;
    return false;
  }
}

/// One to four bytes changed, inserted, removed or repeated.
std::string mutated(std::string s, std::mt19937& random) {
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random()) % n; };
  constexpr char telling[] = {'\0', '\xff', '\x1f', '"', ',', '\n', '\r', '-', 'e', '9'};
  for (std::size_t edits = 1 + below(4); edits > 0 && !s.empty(); --edits) {
    const std::size_t at = below(s.size());
    switch (below(5)) {
      case 0:
        s[at] = static_cast<char>(random());
        break;
      case 1:
        s[at] = telling[below(sizeof telling)];
        break;
      case 2:
        s.insert(at, 1, telling[below(sizeof telling)]);
        break;
      case 3:
        s.erase(at, 1 + below(4));
        break;
      case 4:
        s.insert(at, s.substr(at, 1 + below(8)));
        break;
    }
  }
  return s;
}

template <class Read>
Tally mutate(const std::string& content, int times, Read read) {
  std::mt19937 random(1);
  Tally tally;
  for (int i = 0; i < times; ++i) loads(mutated(content, random), tally, read);
  return tally;
}

void read_idx(const std::string& content) {
  const Tensor t = nn::parse_idx(content);
  std::int64_t elements = 1;
  for (const std::int64_t n : t.shape()) elements *= n;
  if (elements != t.size() || t.array().bytes() > 8 * 1032 * content.size()) throw std::logic_error("misread");
}

void read_csv(const std::string& content) {
  nn::CsvText text = nn::parse_csv_text(content);
  for (const auto& row : text.rows)
    if (row.size() != text.names.size()) throw std::logic_error("ragged");
  const nn::CsvNumbers numbers = nn::parse_csv(content, {.dtype = f64, .missing = 0});
  if (numbers.values.shape()[0] != static_cast<std::int64_t>(text.rows.size())) throw std::logic_error("rows");
}

const std::string table = "name,\"x, y\",z\r\n1,2.5,-3e2\r\n\"4\",\"5\",\r\n7,\"8\",9\n10,11,nan\n";

}  // namespace

TEST_CASE("every shorter IDX file is an error, raw and compressed") {
  for (const std::string& whole : {idx_bytes::small(), idx_bytes::small_gzip()}) {
    Tally tally;
    for (std::size_t n = 0; n < whole.size(); ++n) CHECK_FALSE(loads(whole.substr(0, n), tally, read_idx));
    CHECK(loads(whole, tally, read_idx));
  }
}

TEST_CASE("every byte of an IDX file flipped, and 100000 mutations, give an error or a load within the file's size") {
  for (const std::string& whole : {idx_bytes::small(), idx_bytes::small_gzip()}) {
    Tally tally;
    for (std::size_t i = 0; i < whole.size(); ++i)
      for (int bit = 0; bit < 8; ++bit) {
        std::string flipped = whole;
        flipped[i] = static_cast<char>(flipped[i] ^ (1 << bit));
        loads(flipped, tally, read_idx);
      }
    CHECK(tally.loads + tally.errors == static_cast<int>(8 * whole.size()));
  }
  const Tally raw = mutate(idx_bytes::small(), 80000, read_idx);
  CHECK(raw.loads > 0);
  CHECK(raw.errors > 0);
  const Tally compressed = mutate(idx_bytes::small_gzip(), 20000, read_idx);
  CHECK(compressed.errors > 0);
}

TEST_CASE("every prefix and 100000 mutations of a CSV file give an error or a table") {
  Tally tally;
  for (std::size_t n = 0; n <= table.size(); ++n) loads(table.substr(0, n), tally, read_csv);
  CHECK(tally.loads > 0);
  CHECK(tally.errors > 0);
  const Tally mutations = mutate(table, 100000, read_csv);
  CHECK(mutations.loads > 0);
  CHECK(mutations.errors > 0);
}
