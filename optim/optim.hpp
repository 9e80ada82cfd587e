#pragma once
#include <optim/adagrad.hpp>
#include <optim/adam.hpp>
#include <optim/averaged.hpp>
#include <optim/clip.hpp>
#include <optim/rmsprop.hpp>
#include <optim/schedules.hpp>
#include <optim/sgd.hpp>
