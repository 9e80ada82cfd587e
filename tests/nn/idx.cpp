#include <doctest/doctest.h>
#include <autograd/atomic_file.hpp>
#include <autograd/autograd.hpp>
#include <nn/data/idx.hpp>

#include <cmath>

#include "folder.hpp"
#include "idx_bytes.hpp"
#include "support.hpp"

using namespace xgrad;
using idx_bytes::bytes, idx_bytes::file, idx_bytes::small, idx_bytes::small_gzip;

/// Arrays and labelled images read from IDX files, and what is refused.
namespace {

/// The message for `content`, without the place.
std::string fault(const std::string& content, const nn::IdxOptions& options = {}) {
  return thrown([&] { nn::parse_idx(content, options, "x.idx", {}); });
}

}  // namespace

TEST_CASE("unsigned bytes load as i64, or scaled as f32, raw and from gzip alike") {
  for (const std::string& content : {small(), small_gzip()}) {
    const Tensor t = nn::parse_idx(content);
    CHECK(t.shape() == Shape{2, 2, 3});
    CHECK(values<std::int64_t>(t) == std::vector<std::int64_t>{0, 20, 40, 60, 80, 100, 120, 140, 160, 180, 200, 220});
    const Tensor scaled = nn::parse_idx(content, {.dtype = f32, .scale = 1.0 / 255});
    CHECK(scaled.data<float>()[11] == 220.f / 255.f);
    CHECK(nn::parse_idx(content, {.dtype = f64}).data<double>()[1] == 20);
  }
}

TEST_CASE("every element type loads, big-endian and with its sign") {
  CHECK(values<std::int64_t>(nn::parse_idx(file(0x09, {2}, bytes({255, 127})))) == std::vector<std::int64_t>{-1, 127});
  CHECK(values<std::int64_t>(nn::parse_idx(file(0x0B, {2}, bytes({0x80, 0, 1, 2})))) ==
        std::vector<std::int64_t>{-32768, 258});
  CHECK(values<std::int64_t>(nn::parse_idx(file(0x0C, {2}, bytes({255, 255, 255, 254, 1, 0, 0, 2})))) ==
        std::vector<std::int64_t>{-2, 16777218});
  CHECK(values<float>(nn::parse_idx(file(0x0D, {1}, bytes({0xC0, 0x20, 0, 0})))) == std::vector<float>{-2.5f});
  CHECK(values<double>(nn::parse_idx(file(0x0E, {1}, bytes({0xC0, 4, 0, 0, 0, 0, 0, 0})))) ==
        std::vector<double>{-2.5});
  CHECK(values<double>(nn::parse_idx(file(0x0D, {1}, bytes({0x3F, 0x80, 0, 0})), {.dtype = f64, .scale = .5})) ==
        std::vector<double>{.5});
}

TEST_CASE("arrays longer than one chunk, and of no elements, load") {
  std::string elements;
  for (int i = 0; i < 20000; ++i) elements += static_cast<char>(i % 251);
  const Tensor t = nn::parse_idx(file(8, {20000}, elements), {.dtype = f32});
  bool equal = true;
  for (int i = 0; i < 20000; ++i) equal &= t.data<float>()[i] == static_cast<float>(i % 251);
  CHECK(equal);
  CHECK(nn::parse_idx(file(8, {0, 28, 28}, "")).shape() == Shape{0, 28, 28});
}

TEST_CASE("what is not an IDX file is refused with the bytes in question") {
  CHECK(fault("") == "parse_idx: x.idx is empty");
  CHECK(fault(bytes({0, 0, 8})) == "parse_idx: x.idx is cut short: it ends after 3 bytes, within the header");
  CHECK(fault(bytes({0x89, 0x50, 0x4E, 0x47, 1})) ==
        "parse_idx: x.idx is not an IDX file: it begins with 89 50 4E 47, expected 00 00, a type and a number of axes");
  CHECK(fault(file(0x0A, {1}, "a")) == "parse_idx: x.idx has the element type 0A; IDX knows 08, 09, 0B, 0C, 0D and 0E");
  CHECK(fault(bytes({0, 0, 8, 0})) == "parse_idx: x.idx has 0 axes; expected 1 to 8");
  CHECK(fault(bytes({0, 0, 8, 9})) == "parse_idx: x.idx has 9 axes; expected 1 to 8");
}

TEST_CASE("sizes that are not the file's are refused before anything is allocated") {
  CHECK(fault(file(8, {0x60EA0000}, std::string(10, 'a'))) ==
        "parse_idx: x.idx needs 1625948168 bytes for its shape (1625948160,), the file has 18; it is cut short, or its "
        "sizes are not big-endian");
  CHECK(fault(file(8, {0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF}, "a")) ==
        "parse_idx: x.idx has the shape (4294967295, 4294967295, 4294967295), which is more bytes than can be counted");
  CHECK(fault(file(8, {0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0}, "")) ==
        "parse_idx: x.idx has the shape (4294967295, 4294967295, 4294967295, 0), which is more bytes than can be "
        "counted");
  CHECK(fault(file(0x0C, {2}, std::string(7, 'a'))) ==
        "parse_idx: x.idx needs 16 bytes for its shape (2,), the file has 15; it is cut short, or its sizes are not "
        "big-endian");
  CHECK(fault(small() + "tail") ==
        "parse_idx: x.idx has bytes left over after the 28 that its shape (2, 2, 3) needs; the file has 32");
  CHECK(fault(bytes({0, 0, 8, 2, 0, 0, 0, 1})) ==
        "parse_idx: x.idx is cut short: it ends after 8 bytes, within the sizes of its axes");
}

TEST_CASE("damaged compression is refused and says how") {
  const std::string good = small_gzip();
  CHECK(fault(good.substr(0, good.size() - 5)) == "parse_idx: x.idx: the gzip stream is cut off");
  CHECK(fault(good.substr(0, 12)) == "parse_idx: x.idx: the gzip stream is cut off");
  std::string crc = good;
  crc[crc.size() - 6] = static_cast<char>(crc[crc.size() - 6] ^ 1);
  CHECK(fault(crc) == "parse_idx: x.idx: the gzip stream is damaged: incorrect data check");
  std::string length = good;
  length.back() = 1;
  CHECK(fault(length) == "parse_idx: x.idx: the gzip stream is damaged: incorrect length check");
  CHECK(fault(good + "tail") == "parse_idx: x.idx: 4 bytes follow the end of the gzip stream");
  CHECK(fault(good + good) == "parse_idx: x.idx has bytes left over after the 28 that its shape (2, 2, 3) needs");
}

TEST_CASE("a dtype or scale that cannot hold the elements is refused") {
  CHECK(fault(small(), {.dtype = boolean}) ==
        "parse_idx: x.idx holds integers, which cannot be read as boolean; use i64, f32 or f64");
  CHECK(fault(file(0x0D, {0}, ""), {.dtype = i64}) ==
        "parse_idx: x.idx holds floating numbers, which cannot be read as i64; use f32 or f64");
  CHECK(fault(small(), {.scale = .5}) ==
        "parse_idx: scale is 0.5 for i64; it must be finite, and 1 for i64; read as f32 or f64 to scale");
}

TEST_CASE("an element that does not fit the dtype is refused with its index, and a small one rounds") {
  const std::string huge = bytes({0x7E, 0x37, 0xE4, 0x3C, 0x88, 0, 0x75, 0x9C});  // 1e300
  const std::string tiny = bytes({0x80, 0, 0, 0, 0, 0, 0, 1}), one = bytes({0x3F, 0xF0, 0, 0, 0, 0, 0, 0});
  const std::string infinite = bytes({0x7F, 0xF0, 0, 0, 0, 0, 0, 0});
  CHECK(fault(file(0x0E, {2, 2}, one + tiny + one + huge), {.dtype = f32}) ==
        "parse_idx: x.idx: element 3 is 1e+300, which does not fit f32");
  CHECK(fault(file(0x0E, {2}, one + huge), {.scale = -1e10}) ==
        "parse_idx: x.idx: element 1 is 1e+300, which times the scale -1e+10 does not fit f64");
  CHECK(fault(file(8, {3}, bytes({0, 1, 200})), {.dtype = f32, .scale = 3e36}) ==
        "parse_idx: x.idx: element 2 is 200, which times the scale 3e+36 does not fit f32");
  CHECK(fault(file(0x0C, {1}, bytes({255, 0, 0, 0})), {.dtype = f64, .scale = 1e305}) ==
        "parse_idx: x.idx: element 0 is -16777216, which times the scale 1e+305 does not fit f64");
  std::string many;
  for (int i = 0; i < 10000; ++i) many += i == 9000 ? huge : one;
  CHECK(fault(file(0x0E, {10000}, many), {.dtype = f32}) ==
        "parse_idx: x.idx: element 9000 is 1e+300, which does not fit f32");
  const Tensor small = nn::parse_idx(file(0x0E, {2}, tiny + infinite), {.dtype = f32});
  CHECK(small.data<float>()[0] == 0);
  CHECK(std::signbit(small.data<float>()[0]));
  CHECK(std::isinf(small.data<float>()[1]));
}

TEST_CASE("a file that cannot be opened is an error at the user's line") {
  CHECK(message_of<FileError>([] {
          nn::read_idx("/nonexistent/x.idx");
        }).starts_with("read_idx: cannot read '/nonexistent/x.idx': opening: "));
  CHECK_THROWS_WITH_AS(nn::read_idx("/", {}, {}), "read_idx: cannot read '/': it is not a regular file", FileError);
}

TEST_CASE("the four files of a folder load under either spelling, and must agree") {
  const Folder folder;
  const auto load = [&] { return nn::read_mnist(folder.path, {}, {}); };
  CHECK_THROWS_WITH_AS(load(), doctest::Contains("has no train-images-idx3-ubyte nor train-images.idx3-ubyte"),
                       FileError);
  write_file_atomically(folder / "train-images-idx3-ubyte.gz", small_gzip());
  write_file_atomically(folder / "train-labels-idx1-ubyte", file(8, {2}, bytes({3, 9})));
  write_file_atomically(folder / "t10k-images.idx3-ubyte", small());
  write_file_atomically(folder / "t10k-labels.idx1-ubyte", file(8, {2}, bytes({0, 1})));
  const nn::Mnist data = load();
  CHECK(data.train.images.shape() == Shape{2, 2, 3});
  CHECK(data.train.images.data<float>()[1] == 20.f / 255.f);
  CHECK(values<std::int64_t>(data.train.labels) == std::vector<std::int64_t>{3, 9});
  CHECK(values<std::int64_t>(data.test.labels) == std::vector<std::int64_t>{0, 1});

  write_file_atomically(folder / "t10k-labels.idx1-ubyte", file(8, {3}, bytes({0, 1, 2})));
  CHECK_THROWS_WITH_AS(load(), doctest::Contains("has 2 images, "), FileError);
  write_file_atomically(folder / "t10k-labels.idx1-ubyte", file(8, {2}, bytes({0, 10})));
  CHECK_THROWS_WITH_AS(load(), doctest::Contains("label 1 is 10; expected 0 to 9"), FileError);
  write_file_atomically(folder / "t10k-labels.idx1-ubyte", file(8, {2, 1}, bytes({0, 1})));
  CHECK_THROWS_WITH_AS(load(), doctest::Contains("has the shape (2, 1); expected one axis"), FileError);
}
