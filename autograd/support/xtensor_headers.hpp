#pragma once

/// The headers of xtensor that autograd/xtensor.hpp needs; 0.26 moved them into folders.
#if __has_include(<xtensor/containers/xadapt.hpp>)
#include <xtensor/containers/xadapt.hpp>
#include <xtensor/containers/xarray.hpp>
#include <xtensor/core/xmath.hpp>
#include <xtensor/core/xnoalias.hpp>
#include <xtensor/views/xview.hpp>
#else
#include <xtensor/xadapt.hpp>
#include <xtensor/xarray.hpp>
#include <xtensor/xmath.hpp>
#include <xtensor/xnoalias.hpp>
#include <xtensor/xview.hpp>
#endif

// xtensor before 0.26 evaluates expressions of dynamic shape as xarray in C++17 only: in C++20, g++ and from release 19
// on clang take the type of their shapes, svector<std::size_t, 4>, for a fixed rank of 4, and xt::eval crashes.
#if XTENSOR_VERSION_MAJOR == 0 && XTENSOR_VERSION_MINOR < 26
template <>
struct xt::detail::xtype_for_shape<xt::dynamic_shape<std::size_t>> {
  template <class T, xt::layout_type L>
  using type = xt::xarray<T, L>;
};
#endif

// Nor does xtensor before 0.26 expect what C++17 says and clang does since its release 19: a svector, whose other
// arguments have defaults, matches a template of a type and a number too, so that xtensor's own choice is ambiguous.
#if XTENSOR_VERSION_MAJOR == 0 && XTENSOR_VERSION_MINOR < 26 && defined(__clang__)
template <class X, class T, std::size_t N>
struct xt::rebind_container<X, xt::svector<T, N, std::allocator<T>, true>> {
  using type = xt::svector<X, N, std::allocator<X>, true>;
};
#endif
