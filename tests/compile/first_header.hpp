// What every program here includes first; see meson.build.
#include <waiter/waiter.hpp>
