#pragma once
#include <optim/adagrad.hpp>
#include <optim/adam.hpp>
#include <optim/rmsprop.hpp>
#include <optim/sgd.hpp>
