#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <filesystem>
#include <nn/nn.hpp>

#include <nlohmann/json.hpp>

#include "folder.hpp"
#include "idx_bytes.hpp"
#include "support.hpp"

using namespace xgrad;
namespace fs = std::filesystem;

/// Files whose names have letters of several alphabets.
namespace {

/// A folder whose name, like those of the files that tests put into it, has letters of several alphabets.
struct ForeignNames {
  Folder outer;
  fs::path folder = outer.path / u8"Übung 練習";
  ForeignNames() { fs::create_directory(folder); }
  fs::path operator/(const char8_t* name) const { return folder / name; }
};

}  // namespace

TEST_CASE("weights, tables, images, curves and traces go through files with names in any alphabet") {
  const ForeignNames files;
  nn::Sequential saved{nn::Dense{3, 2}}, loaded{nn::Dense{3, 2}};
  const fs::path weights = files / u8"Gewichte-äöü-重み.safetensors";
  nn::save_weights(saved, weights);
  nn::load_weights(loaded, weights);
  CHECK(same_bits(saved.state_dict(), loaded.state_dict()));
  nn::save_tensors(weights, saved.state_dict());
  CHECK(same_bits(nn::load_tensors(weights), saved.state_dict()));

  const fs::path table = files / u8"Größen-表-😀.csv";
  write_file_atomically(table, "a,b\n1,2\n");
  CHECK(nn::read_csv(table).values.shape() == Shape{1, 2});
  CHECK(nn::read_csv_text(table).rows[0][1] == "2");

  const fs::path curve = files / u8"Lernkurve-曲線.svg", trace = files / u8"Spur-跡.json";
  nn::write_learning_curve(curve, {{.3, .9, .2, .95}});
  CHECK(read_file(curve).starts_with("<svg"));
  const Profiler profiler;
  sum(loaded(ones({1, 3})));
  profiler.write_chrome_trace(trace);
  CHECK(!nlohmann::json::parse(read_file(trace))["traceEvents"].empty());
}

TEST_CASE("the four files of MNIST are found in a folder with a name in any alphabet, compressed or not") {
  const ForeignNames files;
  const std::string labels = idx_bytes::file(8, {2}, idx_bytes::bytes({3, 9}));
  write_file_atomically(files / u8"train-images-idx3-ubyte.gz", idx_bytes::small_gzip());
  write_file_atomically(files / u8"t10k-images.idx3-ubyte", idx_bytes::small());
  for (const char8_t* const name : {u8"train-labels-idx1-ubyte", u8"t10k-labels-idx1-ubyte"})
    write_file_atomically(files / name, labels);
  const nn::Mnist images = nn::read_mnist(files.folder);
  CHECK(same_bits(images.train.images, images.test.images));

  const fs::path raw = files / u8"Bilder-画像", compressed = files / u8"Bilder-画像.gz";
  write_file_atomically(raw, idx_bytes::small());
  write_file_atomically(compressed, idx_bytes::small_gzip());
  CHECK(same_bits(nn::read_idx(raw), nn::read_idx(compressed)));
}

TEST_CASE("messages show a file's name in UTF-8") {
  const ForeignNames files;
  const fs::path file = files / u8"Gewichte-äöü-重み";
  const std::string name = text(file), folder = text(files.folder);
  REQUIRE(name.ends_with("Gewichte-\xc3\xa4\xc3\xb6\xc3\xbc-\xe9\x87\x8d\xe3\x81\xbf"));
  nn::Sequential model{nn::Dense{3, 2}};
  const auto says = [&](auto call, const std::string& expected) {
    CHECK_THROWS_WITH_AS(call(), doctest::Contains(expected.c_str()), FileError);
  };
  says([&] { read_file(file); }, "cannot read '" + name + "'");
  says([&] { nn::load_weights(model, file); }, "'" + name + "'");
  says([&] { nn::save_weights(model, files.folder); }, "cannot write '" + folder + "'");
  says([&] { nn::read_mnist(files.folder); }, folder + " has no train-images");
  write_file_atomically(file, "a,b\n1\n");
  says([&] { nn::load_tensors(file); }, "'" + name + "'");
  says([&] { nn::read_csv(file); }, name + ", line 2");
  says([&] { nn::read_csv_text(file); }, name + ", line 2");
  says([&] { nn::read_idx(file); }, name + " is not an IDX file");
  nn::save_weights(nn::Sequential{nn::Dense{1, 1}}, file);
  says([&] { nn::load_weights(model, file); }, "the file is '" + name + "'");
}

TEST_CASE("a file's name is a path, an entry of a folder, a string, a literal or a view, of any characters") {
  const Folder folder;
  const fs::path path = folder / "w";
  const std::string name = path.string();
  const Tensor x = ones({2});
  nn::save_tensors(name, {{"x", x}});
  nn::save_tensors(name.c_str(), {{"x", x}});
  nn::save_tensors(std::string_view(name), {{"x", x}});
  nn::save_tensors(path, {{"x", x}});
  nn::save_tensors(path.u8string(), {{"x", x}});
  nn::save_tensors(path.wstring().c_str(), {{"x", x}});
  nn::save_tensors(fs::directory_entry(path), {{"x", x}});
  CHECK(same_bits(nn::load_tensors({name}).at("x"), x));
  CHECK(folder.files() == 1);
}
