#include "op.cpp"
