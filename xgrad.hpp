#pragma once
// Everything but what needs xtensor or xsimd on the include path: <autograd/xtensor.hpp> and <autograd/fused.hpp>.
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>
#include <optim/optim.hpp>
