#pragma once
#include <nn/init.hpp>
#include <nn/module.hpp>

#pragma GCC visibility push(default)

namespace xgrad::nn {

struct EmbeddingOptions {
  std::int64_t padding_index = -1;  // a row that starts as zeros and is not trained; -1 for none
  init::Initializer weight_init = init::normal(0, 1);
  Dtype dtype = f32;
};

/// The rows of a weight (count, features) at indices, i64 of any shape: (...) -> (..., features), by `embedding` of
/// autograd/ops.hpp. A step of the optimiser costs what the rows cost that a batch has used, not what the table does,
/// if the optimiser can leave the others alone: see SGD, Adagrad and Adam (optim/). Throws ValueError for a negative
/// size and a padding index that is none; ValueError for an index outside of [-count, count), of which negative ones
/// count from the end; DtypeError unless indices are i64.
class Embedding : public Module {
 public:
  Embedding(std::int64_t count, std::int64_t features, EmbeddingOptions options = {}, Place place = Place::here());
  Tensor operator()(const Operand& indices) const;
  void members(Visitor& visit) override;
  std::string describe() const override;

  Parameter weight;

 private:
  std::int64_t padding_index_;
};

}  // namespace xgrad::nn
#pragma GCC visibility pop
