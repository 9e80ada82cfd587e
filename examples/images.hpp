#pragma once
#include <string>
#include <xgrad.hpp>

/// MNIST or its kin from a folder. An error says where such images come from, too.
inline xgrad::nn::Mnist read_images(const std::string& folder, xgrad::Place place = xgrad::Place::here()) try {
  return xgrad::nn::read_mnist(folder, {}, place);
} catch (const xgrad::FileError& error) {
  throw xgrad::FileError(xgrad::text(error.what(), "\nDebian's package dataset-fashion-mnist has images of clothes; ",
                                     "scripts/mnist.sh FOLDER fetches MNIST's digits"));
}
