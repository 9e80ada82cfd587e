#pragma once
#include <autograd/tensor.hpp>
#include <string>

/// Images inside a page.
namespace xgrad::nn::detail {

/// Whether a row of an input is an image: (rows, columns), or (channels, rows, columns) with one or three channels.
bool is_image(const Shape& shape);

/// An image as the address of a picture, `data:image/png;base64,...`. Numbers in [0, 1] go from black to white; in
/// others the least is black and the largest white. Of one with more than 96 rows or columns, every second, third, ...
/// is taken.
std::string picture_address(const Tensor& image);

}  // namespace xgrad::nn::detail
