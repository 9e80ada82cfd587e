#pragma once
#include <autograd/file_path.hpp>
#include <nn/module.hpp>
#include <string_view>

#pragma GCC visibility push(default)

/// The safetensors format (github.com/huggingface/safetensors): eight bytes of little-endian header length, a JSON
/// header that gives each tensor's dtype, shape and byte range, and the numbers, little-endian and row-major, without
/// holes. It holds numbers only, so that opening a file never runs anything.
namespace xgrad::nn {

/// Texts by name that a file holds beside the tensors.
using Metadata = std::vector<std::pair<std::string, std::string>>;

/// The file's bytes. Bits are kept, NaN payloads and -0 too. Throws ValueError on an empty name or one that is not
/// UTF-8.
std::string to_safetensors(const StateDict& tensors, Place place = Place::here());
/// The same with metadata.
std::string to_safetensors(const StateDict& tensors, const Metadata& metadata, Place place = Place::here());

/// The tensors in the order of their bytes. Reads the dtypes F32, F64, I64 and BOOL; with `convert_dtype` also F16 and
/// BF16, into f32, and I8, U8, I16, U16, I32, U32 and U64, into i64, all exactly. Throws FileError, which names
/// `source`, on other dtypes, a U64 above the largest i64, and anything that the format forbids: a header that is
/// longer than the file or 100 MB, not UTF-8 or not JSON; duplicate names; ranges that overlap, leave holes or a tail,
/// or differ from what the shape needs.
StateDict from_safetensors(std::string_view bytes, const std::string& source, LoadOptions options = {},
                           Place place = Place::here());

/// The metadata of such bytes, in its order; throws FileError as from_safetensors does where the header is at fault.
Metadata safetensors_metadata(std::string_view bytes, const std::string& source, Place place = Place::here());

/// The same to and from a file; saving replaces it atomically.
void save_tensors(const FilePath& path, const StateDict& tensors, Place place = Place::here());
StateDict load_tensors(const FilePath& path, LoadOptions options = {}, Place place = Place::here());

}  // namespace xgrad::nn
#pragma GCC visibility pop
