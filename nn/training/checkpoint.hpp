#pragma once
#include <autograd/file_path.hpp>
#include <nn/training/trainer.hpp>

#pragma GCC visibility push(default)

/// A run in one safetensors file (nn/io/safetensors.hpp): parameters and buffers, the optimiser, callbacks and the
/// schedules in them, the generator of random numbers, the place in the data, the metrics, the history and
/// `trainer.entries()`.
///
///   if (std::filesystem::exists("run.ckpt")) nn::load_checkpoint("run.ckpt", trainer);
///   trainer.fit(train, {.epochs = 20, .seed = 0, .callbacks = {nn::Checkpoints{"run.ckpt"}}});
///
/// A run that goes on so has the bits of one that was never interrupted, if the rest of the program is the same.
namespace xgrad::nn {

/// Replaces the file atomically. Throws FileError where it cannot be written, and then leaves it as it was.
void save_checkpoint(const FilePath& path, const Trainer& trainer, Place place = Place::here());

/// Takes over what a file holds; the next `fit` goes on from there, its `epochs` counting those that are over. Throws
/// FileError for a file that is no checkpoint, of a later version or damaged, or does not fit the model or the
/// optimiser; and then has changed nothing.
void load_checkpoint(const FilePath& path, Trainer& trainer, Place place = Place::here());

}  // namespace xgrad::nn
#pragma GCC visibility pop
