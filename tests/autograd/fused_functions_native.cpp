#include "fused_functions.cpp"
