// Saves a model's weights to the file named by its argument and prints each tensor on a line: name, dtype, shape with
// commas, and the bits of its elements as hexadecimal integers; read.py finds the same in the file.
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <nn/io/safetensors.hpp>
#include <nn/nn.hpp>

using namespace xgrad;

namespace {

struct Net : nn::Module {
  nn::Sequential body{nn::Dense{5, 3}, nn::ReLU{}, nn::Dropout{0.2}, nn::Dense{3, 2, {.dtype = f64}}};
  nn::Parameter scale{tensor(0.1)}, odd{tensor({-0.0, INFINITY, -INFINITY, NAN, 0., 0.})};
  nn::Buffer seen{tensor({1, -2, 1ll << 40}, {.dtype = i64})}, mask{tensor({true, false, true}, {.dtype = boolean})},
      none{zeros({0, 4})};
  void members(nn::Visitor& visit) override {
    visit("größe", body);
    visit("scale", scale);
    visit("odd", odd);
    visit("seen", seen);
    visit("mask", mask);
    visit("none", none);
  }
};

template <class Bits>
void print_bits(const Array& a) {
  for (std::int64_t i = 0; i < a.size(); ++i) {
    Bits bits;
    std::memcpy(&bits, static_cast<const char*>(a.data()) + i * std::int64_t{sizeof bits}, sizeof bits);
    std::printf(" %llx", static_cast<unsigned long long>(bits));
  }
}

}  // namespace

int main(int, char** argv) {
  Net net;
  net.odd.data<float>()[4] = std::numeric_limits<float>::denorm_min();
  const std::uint32_t payload = 0xffc0beef;
  std::memcpy(net.odd.data<float>() + 5, &payload, 4);
  nn::save_weights(net, argv[1]);
  for (const auto& [name, t] : net.state_dict()) {
    std::printf("%s %s ", name.c_str(), name_of(t.dtype()));
    for (int axis = 0; axis < t.ndim(); ++axis) std::printf("%lld,", static_cast<long long>(t.shape()[axis]));
    const std::size_t size = size_of(t.dtype());
    (size == 1   ? print_bits<std::uint8_t>
     : size == 4 ? print_bits<std::uint32_t>
                 : print_bits<std::uint64_t>)(t.array());
    std::printf("\n");
  }
}
