#pragma once
#include <algorithm>
#include <autograd/state_dict.hpp>
#include <cstring>
#include <vector>

/// Whether two tensors have the dtype, the shape and every bit in common.
inline bool same_bits(const xgrad::Tensor& a, const xgrad::Tensor& b) {
  return a.dtype() == b.dtype() && a.shape() == b.shape() &&
         (a.size() == 0 || std::memcmp(a.array().data(), b.array().data(), a.array().bytes()) == 0);
}

/// Likewise, one by one.
inline bool same_bits(const std::vector<xgrad::Tensor>& a, const std::vector<xgrad::Tensor>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const xgrad::Tensor& s, const xgrad::Tensor& t) { return same_bits(s, t); });
}

/// Likewise, name by name.
inline bool same_bits(const xgrad::StateDict& a, const xgrad::StateDict& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const auto& s, const auto& t) { return s.first == t.first && same_bits(s.second, t.second); });
}
