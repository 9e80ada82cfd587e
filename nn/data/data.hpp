#pragma once
/// All of nn/data in one include.
#include <nn/data/csv.hpp>
#include <nn/data/dataset.hpp>
#include <nn/data/idx.hpp>
#include <nn/data/loader.hpp>
#include <nn/data/sequences.hpp>
#include <nn/data/vocabulary.hpp>
