#pragma once
#include <nn/init.hpp>
#include <nn/module.hpp>

#pragma GCC visibility push(default)

/// Bags of embeddings.
namespace xgrad::nn {

enum class BagMode { mean, sum };

struct EmbeddingBagOptions {
  BagMode mode = BagMode::mean;
  std::int64_t padding = -1;  // an index whose row takes no part; -1: none
  init::Initializer weight_init = init::normal(0, 1);
  Dtype dtype = f32;
};

/// The mean or the sum of the rows of a weight (count, features) at the indices of a bag; zeros for a bag without any.
/// Bags are the rows of i64 indices (n, k), or of indices (m) the parts that begin at `offsets` (n), ascending from 0.
/// Throws ValueError for a negative size, a padding that is no index, indices outside of [-count, count), of which
/// negative ones count from the end, and offsets that fall.
class EmbeddingBag : public Module {
 public:
  EmbeddingBag(std::int64_t count, std::int64_t features, EmbeddingBagOptions options = {},
               Place place = Place::here());
  Tensor operator()(const Operand& indices) const;
  Tensor operator()(const Operand& indices, const Operand& offsets) const;
  void members(Visitor& visit) override;
  std::string describe() const override;
  std::int64_t output_features(std::int64_t) const override;

  Parameter weight;

 private:
  /// Which indices are not the padding, which a negative one may be too.
  Tensor takes_part(const Operand& indices) const;

  BagMode mode_;
  std::int64_t padding_;
};

}  // namespace xgrad::nn
#pragma GCC visibility pop
