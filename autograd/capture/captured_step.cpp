#include <algorithm>
#include <autograd/capture/captured_step.hpp>
#include <autograd/core/row_gradient.hpp>
#include <autograd/grad_mode.hpp>
#include <cstring>

// One captured step: what is noted while it runs, when a replay is right, and the replay.
namespace xgrad {
namespace {

const std::byte* bytes_of(const Tensor& t) { return t.array().data<std::byte>(); }

/// The entry of a map by first addresses whose array, `bytes(entry)` long, p leads into; its end counts.
template <class Map, class Bytes>
auto find(Map& map, const void* p, Bytes bytes) {
  const auto* const at = static_cast<const std::byte*>(p);
  auto it = map.upper_bound(at);
  if (it == map.begin()) return map.end();
  --it;
  return at <= it->first + bytes(it->second) ? it : map.end();
}

std::string position(Place place) { return place.file ? text(place.file, ":", place.line, ": ") : ""; }

}  // namespace

CapturedStep::CapturedStep(const Tensor* const* given, std::size_t count)
    : grad_enabled_(xgrad::grad_enabled()), modes_(capturing::modes()), random_begin_(random_state()) {
  for (std::size_t i = 0; i < count; ++i) {
    const Tensor& t = *given[i];
    Parameter& p = parameters_.emplace_back();
    p.defined = t.defined();
    if (!p.defined || t.requires_grad()) {
      p.itself = t;  // that is where its gradient goes
      arguments_.push_back(t);
    } else {
      p.dtype = t.dtype();
      p.shape = t.shape();
      arguments_.push_back(Tensor(t.array().clone()));
    }
  }
}

// ---- memory ----

Storage* CapturedStep::make_storage(std::size_t bytes) {
  Storage* const storage = arena_->make_storage(bytes);
  blocks_[storage->data()] = {storage, false, OpScope::name(), OpScope::place({})};
  return storage;
}

void CapturedStep::release_storage(Storage* storage) {
  if (storage->owner != arena_.get()) return;
  blocks_.erase(storage->data());
  arena_->recycle(storage);
}

CapturedStep::Block* CapturedStep::block_of(const void* p) {
  const auto it = find(blocks_, p, [](const Block& b) { return b.storage->bytes; });
  return it == blocks_.end() ? nullptr : &it->second;
}

bool CapturedStep::is_foreign(const void* p) const {
  return find(foreign_, p, [](const Foreign& f) { return f.storage->bytes; }) != foreign_.end();
}

int CapturedStep::argument_of(const void* p) const {
  const auto* const at = static_cast<const std::byte*>(p);
  for (std::size_t i = 0; i < arguments_.size(); ++i) {
    const Tensor& t = arguments_[i];
    if (t.defined() && !t.requires_grad() && bytes_of(t) <= at && at <= bytes_of(t) + t.array().bytes())
      return static_cast<int>(i);
  }
  return -1;
}

void CapturedStep::keep(const Array& array) {
  const Ref<Storage>& storage = array.storage();
  if (storage->owner == arena_.get() || argument_of(storage->data()) >= 0) return;
  if (!foreign_.try_emplace(storage->data(), Foreign{storage, {}, false}).first->second.constant) meet(array);
}

void CapturedStep::add_constant(const Array& array) {
  foreign_.try_emplace(array.storage()->data(), Foreign{array.storage(), {}, true});
}

void CapturedStep::meet(const Array& array) {
  const auto* const data = array.data<std::byte>();
  if (std::any_of(met_.begin(), met_.end(), [data](const Met& met) { return met.data == data; })) return;
  met_.push_back({data, array.dtype(), array.shape(), OpScope::name(), OpScope::place({})});
}

void CapturedStep::keep(const Tensor& t) {
  keep(t.array());
  const auto it = foreign_.find(t.array().storage()->data());
  if (it == foreign_.end()) return;
  std::vector<Handle>& handles = it->second.handles;
  for (const Handle& handle : handles)
    if (handle.t.same(t)) return;
  std::erase_if(handles, [](const Handle& handle) { return handle.t.is_only_handle(); });
  handles.push_back({t, t.node().get(), t.array().data()});
}

// ---- calls ----

bool CapturedStep::is_local(const void* p) const {
  const std::less<const void*> below;
  return !below(p, __builtin_frame_address(0)) && below(p, stack_top_);
}

const void* CapturedStep::reads(const void* p) {
  if (const Block* const block = block_of(p)) {
    if (block->written || block->storage->bytes == 0) return p;
    throw GraphError(text(position(block->place), block->op ? block->op : "an array",
                          ": capture: these numbers were not written by one of xgrad's kernels, so a replay cannot "
                          "write them again; write the op in terms of others, or do this before the captured function "
                          "and hand it the result"));
  }
  if (argument_of(p) >= 0 || is_foreign(p)) return p;
  if (is_local(p)) return calls.held(p, sizeof(double));  // one number, of any dtype
  throw GraphError(OpScope::prefix() +
                   "capture: a kernel reads numbers of a tensor that the recording was not told of; pass the op its "
                   "tensors as inputs");
}

void CapturedStep::writes(void* p) {
  if (Block* const block = block_of(p)) {
    block->written = true;
  } else if (argument_of(p) >= 0) {
    throw GraphError(OpScope::prefix() +
                     "capture: an argument of the captured function is overwritten; let the function refer to that "
                     "tensor instead");
  } else if (!is_foreign(p)) {
    throw GraphError(OpScope::prefix() +
                     "capture: a kernel writes numbers of a tensor that the recording was not told of");
  }
}

void CapturedStep::pointer_at(std::size_t at) {
  const auto* const p = reinterpret_cast<const std::byte*>(calls[at]);
  if (const int i = argument_of(p); i >= 0) {
    const auto argument = static_cast<std::size_t>(i);
    parameters_[argument].slots.push_back({at, p - bytes_of(arguments_[argument])});
  }
}

void CapturedStep::random_at(std::size_t at) { draws_.push_back({at, 0}); }

void CapturedStep::replace_gradient(const Gradient* gradient) {
  detail::RowGradient* const rows = detail::RowGradient::of(gradient->g);
  gradient->node->gradient() = rows ? rows->copy() : gradient->g;
}

void CapturedStep::set_grad(Node& node, Tensor&& g) {
  detail::RowGradient* const rows = detail::RowGradient::of(g);
  const auto is_kept = [&](const Tensor& t) {
    keep(t);
    reads(t.array().data());
  };
  if (rows) {
    // An argument's numbers lie elsewhere in a replay.
    if (argument_of(rows->values.array().data()) >= 0)
      return set_grad(node, detail::RowGradient::make(g.shape(), rows->indices, Tensor(rows->values.array().clone())));
    is_kept(rows->indices);
    is_kept(rows->values);
  } else if (g.defined()) {
    is_kept(g);
  }
  // Its history was this run's.
  gradients_.push_back({Ref<Node>(&node), g.requires_grad() ? g.detach() : g});
  rows ? replace_gradient(&gradients_.back()) : void(node.gradient() = g);
  calls.append(replace_gradient, &gradients_.back());
}

void CapturedStep::reads_grad(const Node& node) {
  const auto is_known = [&node](const auto& known) { return known.node.get() == &node; };
  if (std::any_of(gradients_.begin(), gradients_.end(), is_known)) return;
  if (std::any_of(entry_gradients_.begin(), entry_gradients_.end(), is_known)) return;
  const Ref<Node> reference(const_cast<Node*>(&node));
  entry_gradients_.push_back({reference, {}});
  Tensor& now = reference->gradient();
  if (!now.defined()) return;
  if (detail::RowGradient::of(now)) {  // what calls are to read lies in one place
    const capturing::Paused paused;
    now = detail::as_dense(now);
  }
  entry_gradients_.back().storage = now.array().storage();
  keep(now.array());
}

const capturing::Words* CapturedStep::words_of_op() {
  const char* const name = OpScope::name();
  if (!name) return nullptr;
  words_.push_back({name, OpScope::place({}), PathScope::path()});
  return &words_.back();
}

// ---- the end, and replays ----

std::string CapturedStep::Met::describe() const {
  return text(position(place), op ? op : "the result", ": capture: the tensor that is read here, ", name_of(dtype), " ",
              shape);
}

/// Throws, for what only this step still holds: the function read it and let go of it, and so the next run reads
/// another tensor, if any.
void CapturedStep::fail_dropped(const Foreign& foreign) const {
  const auto met = std::find_if(met_.begin(), met_.end(), [&](const Met& m) {
    const std::byte* const begin = foreign.storage->data();
    return begin <= m.data && m.data <= begin + foreign.storage->bytes;
  });
  throw GraphError(met->describe() +
                   ", has been replaced or let go of by the captured function, and replays would go on reading it; "
                   "overwrite its numbers, as in k.assign(k + x) under NoGrad, or pass it as an argument and return "
                   "the new one");
}

void CapturedStep::confirm(const Meetings& before, int changes_before) {
  const auto same = [](const Met& a, const Met& b) { return a.data == b.data; };
  const auto [now, then] = std::mismatch(met_.begin(), met_.end(), before.begin(), before.end(), same);
  confirmed_ = now == met_.end() && then == before.end();
  if (confirmed_) return met_.clear();
  changes_ = changes_before + 1;
  if (changes_ == 1) return;  // as when the first run made what the later ones read
  throw GraphError((now == met_.end() ? *then : *now).describe() +
                   ", is another one in each call of the captured function, and replays would read one of them for "
                   "ever; pass it as an argument, or keep to one tensor and overwrite its numbers by assign");
}

void CapturedStep::place_arguments(const Tensor* const* given) {
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    Parameter& p = parameters_[i];
    if (!p.defined || p.itself.defined()) continue;
    const std::byte* const data = bytes_of(*given[i]);
    if (data == p.data) continue;
    for (const Slot& slot : p.slots) calls[slot.at] = reinterpret_cast<std::uint64_t>(data + slot.offset);
    p.data = data;
  }
}

void CapturedStep::finish(std::vector<Tensor>&& results, const Tensor* const* given) {
  random_end_ = random_state();
  for (Draw& draw : draws_) draw.offset = calls[draw.at + 1] - random_begin_.stream;
  std::erase_if(draws_, [this](const Draw& draw) { return calls[draw.at] != random_begin_.seed; });

  for (const Tensor& t : results) {
    if (!t.defined()) {
      results_.push_back({f32, {}, nullptr, -1, 0});
      continue;
    }
    keep(t);
    const auto* const data = static_cast<const std::byte*>(reads(bytes_of(t)));
    if (const int i = argument_of(data); i >= 0) {
      const auto offset = data - bytes_of(arguments_[static_cast<std::size_t>(i)]);
      results_.push_back({t.dtype(), t.shape(), nullptr, i, offset});
    } else {
      results_.push_back({t.dtype(), t.shape(), data, -1, 0});
    }
  }
  results.clear();
  arguments_.clear();
  place_arguments(given);

  for (const auto& entry : blocks_)  // but for those that another thread let go
    if (entry.second.storage->references.load(std::memory_order_acquire) > 0)
      escaped_.emplace_back(entry.second.storage);
  blocks_.clear();
  std::vector<Ref<Storage>> unshared;
  for (auto& [data, foreign] : foreign_) {
    std::erase_if(foreign.handles, [](const Handle& handle) { return handle.t.is_only_handle(); });
    if (foreign.handles.empty()) {
      if (foreign.storage.unique() && !foreign.constant) fail_dropped(foreign);
      (foreign.storage.unique() ? unshared : storages_).push_back(std::move(foreign.storage));
    } else {
      std::move(foreign.handles.begin(), foreign.handles.end(), std::back_inserter(handles_));
    }
  }
  foreign_.clear();
  shared_ = storages_.size();
  std::move(unshared.begin(), unshared.end(), std::back_inserter(storages_));
}

CapturedStep::Fit CapturedStep::fits(const Tensor* const* given, std::size_t count) const {
  if (count != parameters_.size() || xgrad::grad_enabled() != grad_enabled_ || capturing::modes() != modes_)
    return Fit::no;
  for (std::size_t i = 0; i < count; ++i) {
    const Tensor& t = *given[i];
    const Parameter& p = parameters_[i];
    if (t.defined() != p.defined || t.requires_grad() != p.itself.defined()) return Fit::no;
    if (!p.defined) continue;
    if (p.itself.defined() ? !t.same(p.itself) : t.dtype() != p.dtype || t.shape() != p.shape) return Fit::no;
  }
  for (const EntryGradient& entry : entry_gradients_) {
    const Tensor& now = entry.node->gradient();
    if ((now.defined() ? now.array().storage().get() : nullptr) != entry.storage.get()) return Fit::no;
  }
  for (const Handle& handle : handles_)
    if (handle.t.is_only_handle() || handle.t.node().get() != handle.node || handle.t.array().data() != handle.data)
      return Fit::never;
  for (std::size_t i = 0; i < shared_; ++i)
    if (storages_[i].unique()) return Fit::never;
  return Fit::yes;
}

void CapturedStep::replay(const Tensor* const* given) {
  place_arguments(given);
  RandomState random = random_state();
  for (const Draw& draw : draws_) {
    calls[draw.at] = random.seed;
    calls[draw.at + 1] = random.stream + draw.offset;
  }
  if (random_end_.seed == random_begin_.seed) {
    random.stream += random_end_.stream - random_begin_.stream;
  } else {
    random = random_end_;
  }
  set_random_state(random);
  {
    const kernels::SubnormalsAreZero scope;
    calls.replay();
  }
  if (escaped_.empty()) return;
  const std::uint64_t now = tick();
  for (const Ref<Storage>& storage : escaped_) storage->written.store(now, std::memory_order_relaxed);
}

Tensor CapturedStep::result(std::size_t i) const {
  const Result& r = results_[i];
  const std::byte* const from =
      r.argument < 0 ? r.data : parameters_[static_cast<std::size_t>(r.argument)].data + r.offset;
  if (!from) return {};
  Array copy(r.dtype, r.shape);
  if (copy.bytes() > 0) std::memcpy(copy.data(), from, copy.bytes());
  return Tensor(std::move(copy));
}

}  // namespace xgrad
