#include "functions.cpp"
