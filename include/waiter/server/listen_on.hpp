#ifndef WAITER_SERVER_LISTEN_ON_HPP
#define WAITER_SERVER_LISTEN_ON_HPP

#include <waiter/error.hpp>
#include <waiter/process/listen_place.hpp>
#include <waiter/server/doorway.hpp>
#include <waiter/server/predecessor.hpp>
#include <waiter/system/listener.hpp>
#include <waiter/system/longest_backlog.hpp>
#include <waiter/system/passed_sockets.hpp>
#include <waiter/system/unix_address.hpp>

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace waiter {

/// Opens the listening sockets that the options ask for, each as its entry says. Where one cannot be opened, those before it are for
/// the doorway's end to close.
template <class Options>
class listening {
 public:
  listening(doorway& door, const Options& settings, predecessor* before) noexcept : door_(door), settings_(settings), before_(before) {}

  /// Nothing, or one sentence that says what is wrong.
  std::optional<std::string> begin() {
    const int longest = system::longest_backlog();
    if (settings_.backlog < 0 || settings_.backlog > longest)
      return sentence("0 <= backlog <= somaxconn does not hold: backlog is ", settings_.backlog, ", somaxconn ", longest,
                      " (raise net.core.somaxconn, or see docs/options.md)");
    backlog_ = settings_.backlog == 0 ? longest : settings_.backlog;
    if (settings_.listen.empty()) return at_internet(settings_.address, settings_.port);
    if (settings_.port != 0 || settings_.address != Options().address)
      return sentence("listen says where to listen, so port and address have no say: leave them out (see docs/options.md)");
    for (const auto& text : settings_.listen) {
      const auto place = listen_place_of(text);
      if (!place)
        return sentence("'", text, "' is no place to listen: write \"127.0.0.1:80\", \"[::1]:80\", \"unix:/run/x.sock\", \"unix:@x\", "
                        "\"inherited\" or \"fd:NAME\" (see docs/options.md)");
      if (auto wrong = at(*place)) return wrong;
    }
    door_.complete();
    return std::nullopt;
  }

 private:
  template <class... Parts>
  static std::string sentence(const Parts&... parts) {
    std::ostringstream text;
    (text << ... << parts);
    return text.str();
  }

  std::optional<std::string> at(const listen_place& place) {
    switch (place.is) {
      case listen_place::kind::internet: return at_internet(place.name, place.port);
      case listen_place::kind::local: return at_local(place.name);
      case listen_place::kind::passed: return at_passed(place.name);
    }
    return std::nullopt;
  }

  std::optional<std::string> at_internet(const std::string& text, std::uint16_t port) {
    error_code error;
    const auto address = boost::asio::ip::make_address(text, error);
    if (error) return sentence("'", text, "' is no address: write it in numbers, as in \"127.0.0.1\" or \"::1\" (see docs/options.md)");
    const system::listener::endpoint where(address, port);
    if (inherit([&where](int socket) {
          const auto there = system::local_endpoint(socket);
          return there.address() == where.address() && (where.port() == 0 || there.port() == where.port());
        }))
      return std::nullopt;
    door_.add().open(where, backlog_, settings_.io_timeout, error);
    if (!error) return std::nullopt;
    return sentence("cannot listen on ", where, ": ", error.message(),
                    error == boost::system::errc::address_in_use ? "; another program does" : "",
                    error == boost::system::errc::permission_denied ? "; ports below 1024 need the capability CAP_NET_BIND_SERVICE" : "");
  }

  std::optional<std::string> at_local(const std::string& name) {
    if (inherit([&name](int socket) {
          const auto there = system::unix_address::bound_to(socket);
          return there && there->text() == name;
        }))
      return std::nullopt;
    error_code error;
    door_.add().open_local(name, settings_.unix_mode, backlog_, error);
    if (!error) return std::nullopt;
    return sentence("cannot listen on unix:", name, ": ", error.message(),
                    error == boost::system::errc::address_in_use ? "; another program does" : "",
                    error == boost::system::errc::file_exists ? "; it is no socket, and is left alone" : "",
                    error == boost::system::errc::no_such_file_or_directory ? "; its directory has to be there" : "");
  }

  // From the server whose place this one takes, if it listens there.
  template <class Wanted>
  bool inherit(Wanted&& wanted) {
    const int socket = before_ != nullptr ? before_->take(wanted) : -1;
    if (socket < 0) return false;
    error_code error;
    auto& listener = door_.add();
    listener.adopt(socket, error);
    if (error) return false;
    listener.tell(backlog_, settings_.io_timeout);
    return true;
  }

  // Each is taken once: "inherited" after "fd:NAME" means the rest.
  std::optional<std::string> at_passed(const std::string& name) {
    const auto& passed = system::passed_to_this_process();
    if (passed.all.empty()) return sentence("there is no inherited socket: ", passed.why_none, " (see docs/deploy.md)");
    bool any = false;
    for (const auto& one : passed.all) {
      if (!name.empty() && one.name != name) continue;
      any = true;
      if (std::find(taken_.begin(), taken_.end(), one.descriptor) != taken_.end()) continue;
      error_code error;
      auto& listener = door_.add();
      listener.adopt(one.descriptor, error);
      if (error) return sentence("cannot listen on descriptor ", one.descriptor, " ('", one.name, "'): ", why_not(error));
      listener.share();
      listener.lend();
      taken_.push_back(one.descriptor);
    }
    if (any) return std::nullopt;
    std::string others;
    for (const auto& one : passed.all) others += (others.empty() ? "'" : ", '") + one.name + "'";
    return sentence("no inherited socket is called '", name, "': there is ", others, " (see docs/deploy.md)");
  }

  static std::string why_not(const error_code& error) {
    switch (error.value()) {
      case ENOTSOCK: return "it is no socket";
      case EPROTOTYPE: return "it carries no streams (ListenStream= makes one that does)";
      case EINVAL: return "it does not listen (a unit with Accept=yes passes clients)";
      case EAFNOSUPPORT: return "it is neither TCP nor UNIX";
      default: return error.message();
    }
  }

  doorway& door_;
  const Options& settings_;
  predecessor* before_;
  int backlog_ = 0;
  std::vector<int> taken_;
};

/// Opens the listening sockets as the options say. Nothing, or one sentence that says what is wrong.
/// \param before  the server whose place this one takes: where it listens, its sockets are taken over
template <class Options>
std::optional<std::string> listen_on(doorway& door, const Options& settings, predecessor* before = nullptr) {
  return listening<Options>(door, settings, before).begin();
}

}  // namespace waiter

#endif
