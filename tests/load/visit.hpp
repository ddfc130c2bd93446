#ifndef TESTS_LOAD_VISIT_HPP
#define TESTS_LOAD_VISIT_HPP

#include "account.hpp"
#include "outcome.hpp"
#include "settings.hpp"
#include "wire.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace load {

/// One client, from its connect to its end, on a socket that never waits.
class visit {
 public:
  /// Connects. `began` is when it was to begin.
  visit(const settings& asked, account& books, long number, instant began);

  /// Goes on as far as the socket lets it. `events` is what epoll(7) saw, edges: a read or write is tried until it would wait.
  /// \returns what became of the client, once that is known
  std::optional<outcome> go_on(std::uint32_t events);

  /// What became of it if it has no more time, and nothing while it has.
  std::optional<outcome> out_of_time(instant now) const;

  /// -1 if there was none to be had.
  int fd() const { return wire_ ? wire_->fd() : -1; }
  instant began() const { return began_; }
  /// Where it stands among those that are under way.
  std::size_t place = 0;

 private:
  enum class phase { connecting, greeting, saying, hearing };

  std::optional<outcome> connected();
  std::optional<outcome> hear();
  std::optional<outcome> stopped(step how) const;

  const settings& asked_;
  account& books_;
  std::unique_ptr<wire> wire_{};
  phase phase_ = phase::connecting;
  std::optional<outcome> early_{};
  bool slow_;
  bool heard_first_ = false;
  long requests_left_;
  std::size_t heard_ = 0;
  std::string_view rest_{};
  std::string got_{};  ///< kept only where something is expected in it
  instant began_, until_, asked_at_{};
};

}  // namespace load

#endif
