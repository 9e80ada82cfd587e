#define XTENSOR_USE_XSIMD
#include "xtensor.cpp"
