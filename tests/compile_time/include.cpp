// What the one include of most programs costs by itself.
#include <xgrad.hpp>
