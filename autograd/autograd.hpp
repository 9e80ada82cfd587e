#pragma once
#include <autograd/backward.hpp>
#include <autograd/capture.hpp>
#include <autograd/grad_mode.hpp>
#include <autograd/gradcheck.hpp>
#include <autograd/ops.hpp>
#include <autograd/tensor.hpp>
#include <autograd/threads.hpp>
