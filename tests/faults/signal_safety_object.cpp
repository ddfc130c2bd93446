// An object with all handlers in it, for signal_safety.py to look at.
#include <waiter/system/signal_handlers.hpp>

void take_all() {
  waiter::system::signal_handlers all;
  waiter::error_code error;
  all.take(error);
  waiter::system::signal_handlers::watch_for_parent();
  all.let_give_way();
  waiter::system::signal_handlers::watch_for_overtime();
}
