#include <autograd/support/system.hpp>
#include <nn/data/idx.hpp>

/// Finds and reads the four IDX files of MNIST and its kin.
namespace xgrad::nn {
namespace {

/// The first spelling of a file's name that the folder has.
std::filesystem::path find(const OpScope& scope, const std::filesystem::path& folder, const std::string& stem,
                           const std::string& kind) {
  for (const char* const dot : {"-", "."})
    for (const char* const ending : {"", ".gz"}) {
      std::filesystem::path path = folder / text(stem, dot, kind, ending);
      std::error_code unknown;  // a folder that may not be looked into has no file
      if (std::filesystem::exists(path, unknown)) return path;
    }
  scope.fail<FileError>(folder, " has no ", stem, "-", kind, " nor ", stem, ".", kind,
                        ", with or without .gz; pass the folder of the four IDX files");
}

LabelledImages read(const OpScope& scope, const std::filesystem::path& folder, const std::string& part,
                    const MnistOptions& options) {
  const std::filesystem::path image_file = find(scope, folder, part + "-images", "idx3-ubyte");
  const std::filesystem::path label_file = find(scope, folder, part + "-labels", "idx1-ubyte");
  LabelledImages set;
  set.labels = read_idx(label_file, {.dtype = i64});
  set.images = read_idx(image_file, {.dtype = options.dtype, .scale = options.scale});
  if (set.images.ndim() != 3)
    scope.fail<FileError>(image_file, " has the shape ", set.images.shape(), "; expected (images, rows, columns)");
  if (set.labels.ndim() != 1)
    scope.fail<FileError>(label_file, " has the shape ", set.labels.shape(), "; expected one axis");
  if (set.images.shape()[0] != set.labels.size())
    scope.fail<FileError>(image_file, " has ", set.images.shape()[0], " images, ", label_file, " has ",
                          set.labels.size(), " labels; they must be as many");
  const std::int64_t* const labels = set.labels.data<std::int64_t>();
  for (std::int64_t i = 0; i < set.labels.size(); ++i)
    if (labels[i] < 0 || labels[i] >= options.classes)
      scope.fail<FileError>(label_file, ": label ", i, " is ", labels[i], "; expected 0 to ", options.classes - 1);
  return set;
}

}  // namespace

Mnist read_mnist(const FilePath& folder, const MnistOptions& options, Place place) {
  const OpScope scope("read_mnist", place);
  const std::filesystem::path path = system::native(folder);
  return {.train = read(scope, path, "train", options), .test = read(scope, path, "t10k", options)};
}

}  // namespace xgrad::nn
