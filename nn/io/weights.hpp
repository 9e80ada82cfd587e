#pragma once
#include <autograd/file_path.hpp>
#include <nn/module.hpp>

#pragma GCC visibility push(default)

/// Saving and loading a model's weights.
namespace xgrad::nn {

/// Writes the model's parameters and buffers, under their names by path, to a safetensors file, which replaces the old
/// one atomically and keeps its permissions. Throws FileError, also if the old one is read-only.
void save_weights(const Module& model, const FilePath& path, Place place = Place::here());

/// Overwrites the model's parameters and buffers with those of a safetensors file; with `convert_dtype` of any dtype
/// that from_safetensors reads (nn/io/safetensors.hpp). Throws FileError, with every missing, unexpected and misshapen
/// name in one message, and then has changed nothing.
void load_weights(Module& model, const FilePath& path, LoadOptions options = {}, Place place = Place::here());
void load_weights(const FilePath&, const Module&) = delete;  // the model comes first, then the path
void save_weights(const FilePath&, const Module&) = delete;  // the model comes first, then the path

}  // namespace xgrad::nn
#pragma GCC visibility pop
