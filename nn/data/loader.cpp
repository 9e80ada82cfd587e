#include <algorithm>
#include <nn/data/loader.hpp>

/// The batches of an epoch, one after another.
namespace xgrad::nn {

Loader::Loader(TensorDataset dataset, LoaderOptions options, Place place)
    : dataset_(std::move(dataset)), options_(options) {
  const OpScope scope("Loader", place);
  if (options.batch_size < 1) scope.fail<ValueError>("batch_size is ", options.batch_size, "; expected at least 1");
  if (options.shuffle && !options.seed) options_.seed = detail::drawn_seed();
}

std::int64_t Loader::size() const {
  return detail::batch_count(dataset_.size(), options_.batch_size, options_.drop_last);
}

Loader::Iterator Loader::begin() {
  const std::uint64_t epoch = epoch_++;
  return Iterator(*this, options_.shuffle ? detail::seeded_order(dataset_.size(), *options_.seed, epoch) : Tensor());
}

Loader::Iterator::Iterator(const Loader& loader, Tensor order) : loader_(&loader), order_(std::move(order)) { ++*this; }

Loader::Iterator& Loader::Iterator::operator++() {
  const TensorDataset& dataset = loader_->dataset_;
  const std::int64_t batch = loader_->options_.batch_size, left = dataset.size() - next_;
  if (left == 0 || (left < batch && loader_->options_.drop_last)) {
    next_ = -1;
    batch_ = {};
    return *this;
  }
  const std::int64_t count = std::min(batch, left);
  batch_ = {};  // frees the memory before the next batch allocates
  batch_ = order_.defined() ? dataset.copy_rows(order_.data<std::int64_t>() + next_, count)
                            : dataset.rows(next_, next_ + count);
  next_ += count;
  return *this;
}

}  // namespace xgrad::nn
