#include "fused.cpp"
