#ifndef WAITER_CLIENT_OBSERVED_HANDLER_HPP
#define WAITER_CLIENT_OBSERVED_HANDLER_HPP

#include <waiter/error.hpp>

#include <boost/asio/associator.hpp>

#include <utility>

namespace waiter {

/// A completion handler, and somebody who hears of the end before it does and may change the error. To Asio it looks like the handler
/// that it holds: the same executor, allocator and cancellation slot.
template <class Observer, class Handler>
class observed_handler {
 public:
  observed_handler(Observer observer, Handler&& handler) : observer_(std::move(observer)), handler_(std::move(handler)) {}

  template <class... Results>
  void operator()(error_code error, Results... results) {
    observer_(error, results...);
    std::move(handler_)(error, results...);
  }

  const Handler& held() const noexcept { return handler_; }

 private:
  Observer observer_;
  Handler handler_;
};

}  // namespace waiter

namespace boost::asio {

template <template <class, class> class Associator, class Observer, class Handler, class Default>
struct associator<Associator, waiter::observed_handler<Observer, Handler>, Default> : Associator<Handler, Default> {
  using observed = waiter::observed_handler<Observer, Handler>;

  static typename Associator<Handler, Default>::type get(const observed& one) noexcept {
    return Associator<Handler, Default>::get(one.held());
  }
  static auto get(const observed& one, const Default& otherwise) noexcept
      -> decltype(Associator<Handler, Default>::get(one.held(), otherwise)) {
    return Associator<Handler, Default>::get(one.held(), otherwise);
  }
};

}  // namespace boost::asio

#endif
