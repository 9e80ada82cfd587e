#pragma once
#include <autograd/autograd.hpp>
#include <nn/activations.hpp>
#include <nn/init.hpp>
#include <nn/layers.hpp>
#include <nn/losses.hpp>
#include <nn/module.hpp>
#include <nn/sequential.hpp>
