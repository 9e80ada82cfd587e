#pragma once
#include <autograd/file_path.hpp>
#include <autograd/tensor.hpp>
#include <optional>
#include <string_view>

#pragma GCC visibility push(default)

/// Readers of IDX, the format of MNIST and its kin: 00 00, an element type, the number of axes, the sizes as big-endian
/// 32-bit numbers, then the elements, big-endian in row-major order. A gzip file is known by its content and inflated.
namespace xgrad::nn {

struct IdxOptions {
  std::optional<Dtype> dtype = {};  // f32, f64 or i64; unless told, i64 for integers and the file's own for others
  double scale = 1;                 // what every element is multiplied by, into f32 and f64 only
};

/// The array in an IDX file. Throws FileError, with the file and the numbers in question, on another format, sizes that
/// differ from the file's, bytes left over, damaged compression and an element that is finite and would not be in the
/// dtype; nothing is allocated that the file could not fill.
Tensor read_idx(const FilePath& path, const IdxOptions& options = {}, Place place = Place::here());
/// The same from memory; messages call the content `name`.
Tensor parse_idx(std::string_view content, const IdxOptions& options = {}, const std::string& name = "the content",
                 Place place = Place::here());

struct MnistOptions {
  Dtype dtype = f32;          // of the images
  double scale = 1.0 / 255;   // of their pixels, so that they lie in [0, 1]
  std::int64_t classes = 10;  // labels are in [0, classes)
};

struct LabelledImages {
  Tensor images;  // (n, rows, columns)
  Tensor labels;  // (n), i64
};

struct Mnist {
  LabelledImages train, test;
};

/// The four files of MNIST, Fashion-MNIST and others like them, from a folder: train-images-idx3-ubyte,
/// train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, also with a dot before idx, also with
/// .gz. Throws FileError on whatever read_idx throws, on images and labels that differ in number, and on labels outside
/// the classes.
Mnist read_mnist(const FilePath& folder, const MnistOptions& options = {}, Place place = Place::here());

}  // namespace xgrad::nn
#pragma GCC visibility pop
