#include "xtensor.cpp"
