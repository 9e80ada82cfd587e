#include <autograd/atomic_file.hpp>
#include <nn/io/crc32c.hpp>
#include <nn/io/safetensors.hpp>
#include <nn/training/checkpoint.hpp>
#include <nn/training/fit.hpp>
#include <nn/training/saved_history.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace xgrad::nn {

using detail::doubles, detail::Json;

namespace {

constexpr int version = 1;

// The file begins with the length of its header, and the header with this. The eight digits behind it are the check of
// the whole file with zeros in their place.
constexpr std::string_view opening = R"({"__metadata__":{"checksum":")", no_digits = "00000000";
constexpr std::size_t checksum_at = 8 + opening.size();

std::string checksum(std::string_view bytes) {
  std::uint32_t check = detail::crc32c(bytes.substr(0, checksum_at));
  check = detail::crc32c(no_digits, check);
  check = detail::crc32c(bytes.substr(checksum_at + no_digits.size()), check);
  char digits[9];
  std::snprintf(digits, sizeof digits, "%08x", check);
  return digits;
}

void check_sound(const OpScope& scope, std::string_view bytes, const std::string& source) {
  if (bytes.size() < checksum_at + no_digits.size() || bytes.substr(8, opening.size()) != opening)
    scope.fail<FileError>("'", source, "' is no checkpoint; save_checkpoint writes them");
  const std::string_view said = bytes.substr(checksum_at, no_digits.size());
  if (const std::string found = checksum(bytes); found != said)
    scope.fail<FileError>("'", source, "' is damaged: its bytes have the checksum ", found, ", and it says ", said);
}

/// Doubles whose sum it is; 64-bit Arm's have 113 bits.
std::vector<double> parts_of(long double x) {
  std::vector<double> parts;
  for (int i = 0; i < 3; ++i) {
    parts.push_back(static_cast<double>(x));
    x = std::isfinite(x) ? x - parts.back() : 0;
  }
  return parts;
}

void add(StateDict& all, const std::string& prefix, const StateDict& part) {
  for (const auto& [name, tensor] : part) all.set(prefix + name, tensor);
}

/// The entries whose names begin so, by the rest of their names.
StateDict part(const StateDict& all, const std::string& prefix) {
  std::vector<StateDict::Entry> found;
  for (const auto& [name, tensor] : all)
    if (name.starts_with(prefix)) found.emplace_back(name.substr(prefix.size()), tensor);
  return found;
}

}  // namespace

/// What a Trainer and its run are in a file.
struct detail::Checkpoint {
  static void save(const FilePath& path, const Trainer& trainer, Place place);
  static void load(const OpScope& scope, const FilePath& path, Trainer& trainer, Place place);
  static RunState read_run(const Json& run, const StateDict& tensors);
};

void detail::Checkpoint::save(const FilePath& path, const Trainer& trainer, Place place) {
  const RunState& state = *trainer.state_;
  const RandomState random = state.running || state.rows == 0 ? random_state() : state.random;
  const auto callbacks = state.running ? state.running->callback_states() : state.callbacks;

  StateDict tensors;
  add(tensors, "model.", trainer.model_.state_dict(place));
  add(tensors, "optimizer.", trainer.optimizer_.state_dict());
  if (trainer.average_) add(tensors, "average.", trainer.average_->state_dict(place));
  add(tensors, "entries.", trainer.entries_);
  Json names = Json::array();
  for (std::size_t i = 0; i < callbacks.size(); ++i) {
    names.push_back(callbacks[i].first);
    add(tensors, text("callback.", i, "."), callbacks[i].second);
  }
  tensors.set("loss", doubles(parts_of(state.loss.sum())));
  const std::vector<StateDict> metrics = state.running ? state.running->metric_states() : state.metrics;
  for (std::size_t i = 0; i < metrics.size(); ++i) add(tensors, text("metric.", i, "."), metrics[i]);
  Json run = {{"epoch", state.epoch},
              {"batch", state.batch},
              {"rows", state.rows},
              {"batch_size", state.batch_size},
              {"seed", state.seed},
              {"random_seed", random.seed},
              {"random_stream", random.stream},
              {"loss_samples", state.loss.samples()},
              {"seconds", state.seconds},
              {"metrics", metrics.size()},
              {"callbacks", names}};
  save_history(state.history, tensors, run);
  std::string bytes = to_safetensors(tensors,
                                     {{"checksum", std::string(no_digits)},
                                      {"format", "xgrad checkpoint"},
                                      {"version", text(version)},
                                      {"run", xgrad::detail::to_text(run)}},
                                     place);
  bytes.replace(checksum_at, no_digits.size(), checksum(bytes));
  write_file_atomically(path, bytes, place);
}

detail::RunState detail::Checkpoint::read_run(const Json& run, const StateDict& tensors) {
  RunState state;
  state.epoch = run.at("epoch").get<std::int64_t>();
  state.batch = run.at("batch").get<std::int64_t>();
  state.rows = run.at("rows").get<std::int64_t>();
  state.batch_size = run.at("batch_size").get<std::int64_t>();
  state.seed = run.at("seed").get<std::uint64_t>();
  state.random = {run.at("random_seed").get<std::uint64_t>(), run.at("random_stream").get<std::uint64_t>()};
  const double* const sum = tensors["loss"].data<double>();
  state.seconds = run.value("seconds", 0.);
  state.loss =
      Average::of(static_cast<long double>(sum[0]) + sum[1] + sum[2], run.at("loss_samples").get<std::int64_t>());
  const auto metrics = run.at("metrics").get<std::size_t>();
  for (std::size_t m = 0; m < metrics; ++m) state.metrics.push_back(part(tensors, text("metric.", m, ".")));
  state.average = part(tensors, "average.");
  std::size_t i = 0;
  for (const Json& name : run.at("callbacks"))
    state.callbacks.emplace_back(name.get<std::string>(), part(tensors, text("callback.", i++, ".")));
  state.history = load_history(tensors, run);
  state.goes_on = state.rows > 0;
  return state;
}

void detail::Checkpoint::load(const OpScope& scope, const FilePath& path, Trainer& trainer, Place place) {
  const std::string bytes = read_file(path, place), source = text(path);
  if (trainer.state_->running) scope.fail<ValueError>("this trainer is in a run; load before it begins");
  check_sound(scope, bytes, source);
  const StateDict tensors = from_safetensors(bytes, source, {}, place);
  RunState state;
  try {
    Json metadata;
    for (const auto& [key, value] : safetensors_metadata(bytes, source, place)) metadata[key] = value;
    if (metadata.at("version") != text(version))
      scope.fail<FileError>("'", source, "' is a checkpoint of version ", metadata.at("version").get<std::string>(),
                            ", and this library reads version ", version);
    state = read_run(xgrad::detail::parse_json(metadata.at("run").get<std::string>()), tensors);
  } catch (const Json::exception& e) {
    scope.fail<FileError>("'", source, "' is no checkpoint: ", e.what());
  }
  const StateDict before = trainer.model_.state_dict(place);
  try {
    trainer.model_.load_state_dict(part(tensors, "model."), {}, place);
    trainer.optimizer_.load_state_dict(part(tensors, "optimizer."), place);
  } catch (const ValueError& e) {
    trainer.model_.load_state_dict(before, {}, place);
    throw FileError(text(e.what(), "; the file is '", path, "'"));
  }
  trainer.average_.reset();
  trainer.entries_ = part(tensors, "entries.");
  *trainer.state_ = std::move(state);
}

void save_checkpoint(const FilePath& path, const Trainer& trainer, Place place) {
  const OpScope scope("save_checkpoint", place);
  detail::Checkpoint::save(path, trainer, place);
}

void load_checkpoint(const FilePath& path, Trainer& trainer, Place place) {
  const OpScope scope("load_checkpoint", place);
  detail::Checkpoint::load(scope, path, trainer, place);
}

}  // namespace xgrad::nn
