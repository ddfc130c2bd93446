#ifndef WAITER_PROCESS_WITHIN_HPP
#define WAITER_PROCESS_WITHIN_HPP

#include <waiter/limits.hpp>
#include <waiter/process/misfit.hpp>

#include <cstddef>
#include <cstdint>

namespace waiter {

/// Whether literal limits fit together: one sentence for each inequality that does not hold, with its numbers where the compiler
/// shows them.
template <const limits& Limits>
class fitting {
  static constexpr auto chain = times::of(Limits);

  // Where the inequality is not asked for, two numbers for which it holds.
  static constexpr std::int64_t left(std::size_t at, std::size_t later) {
    return chain[at].binds() && chain[later].binds() ? chain[at].value.count() : 0;
  }
  static constexpr std::int64_t right(std::size_t at, std::size_t later) {
    return chain[at].binds() && chain[later].binds() ? chain[later].value.count() : 1;
  }

// The numbers are arguments of a template, because then Clang shows them too.
#define WAITER_FITS(name, relation, sentence)                                                      \
  template <std::int64_t Left, std::int64_t Right>                                                 \
  static constexpr bool name() {                                                                   \
    static_assert(Left relation Right, "waiter: " sentence " does not hold. See docs/options.md"); \
    return true;                                                                                   \
  }
  WAITER_FITS(handshake_client, <, "handshake_timeout < client_timeout")
  WAITER_FITS(handshake_soft, <, "handshake_timeout < soft_limit")
  WAITER_FITS(handshake_hard, <, "handshake_timeout < hard_limit")
  WAITER_FITS(handshake_grace, <, "handshake_timeout < grace")
  WAITER_FITS(client_soft, <, "client_timeout < soft_limit")
  WAITER_FITS(client_hard, <, "client_timeout < hard_limit")
  WAITER_FITS(client_grace, <, "client_timeout < grace")
  WAITER_FITS(soft_hard, <, "soft_limit < hard_limit")
  WAITER_FITS(soft_grace, <, "soft_limit < grace")
  WAITER_FITS(hard_grace, <, "hard_limit < grace")
  WAITER_FITS(some_handshake, <, "0 < handshake_timeout")
  WAITER_FITS(some_client, <, "0 < client_timeout")
  WAITER_FITS(some_soft, <, "0 < soft_limit")
  WAITER_FITS(some_hard, <, "0 < hard_limit")
  WAITER_FITS(some_grace, <=, "0 <= grace")
  WAITER_FITS(some_backlog, <=, "0 <= backlog")
  WAITER_FITS(prefork_maxfork, <=, "prefork <= maxfork")
#undef WAITER_FITS

 public:
  static constexpr bool proved() {
    constexpr auto capped = find_capped(Limits);
    constexpr std::int64_t wanted = capped ? capped->left : 0, most = capped ? capped->right : 0;
    return some_handshake<0, chain[0].value.count()>() && some_client<0, chain[1].value.count()>() &&
           some_soft<0, chain[2].value.count()>() && some_hard<0, chain[3].value.count()>() &&
           some_grace<0, chain[4].value.count()>() && some_backlog<0, Limits.backlog>() && prefork_maxfork<wanted, most>() &&
           handshake_client<left(0, 1), right(0, 1)>() && handshake_soft<left(0, 2), right(0, 2)>() &&
           handshake_hard<left(0, 3), right(0, 3)>() && handshake_grace<left(0, 4), right(0, 4)>() &&
           client_soft<left(1, 2), right(1, 2)>() && client_hard<left(1, 3), right(1, 3)>() &&
           client_grace<left(1, 4), right(1, 4)>() && soft_hard<left(2, 3), right(2, 3)>() &&
           soft_grace<left(2, 4), right(2, 4)>() && hard_grace<left(3, 4), right(3, 4)>();
  }
};

/// The options with these limits in them. Literal limits are proved to fit together; what they leave at its default stays as the
/// options say, and `run()` looks at the whole once more.
///
///     static constexpr waiter::limits ours{.client_timeout = 30s, .hard_limit = 60s, .grace = 90s};
///     shop server{waiter::within<ours>(shop::options{.port = 9443})};
template <const limits& Limits, class Options>
constexpr Options within(Options options) {
  static_assert(fitting<Limits>::proved());
  constexpr limits unset;
  static_assert(has_handshake_timeout<Options> || Limits.handshake_timeout == unset.handshake_timeout,
                "waiter: handshake_timeout is set, but this transport has no such option. See docs/options.md");
  static_assert(has_soft_limit<Options> || Limits.soft_limit == never,
                "waiter: soft_limit is set, but this fork policy has no such option. See docs/options.md");
  static_assert(has_hard_limit<Options> || Limits.hard_limit == never,
                "waiter: hard_limit is set, but this fork policy has no such option. See docs/options.md");
  static_assert(has_prefork<Options> || Limits.prefork == unset.prefork,
                "waiter: prefork is set, but this fork policy has no such option. See docs/options.md");
  static_assert(has_maxfork<Options> || Limits.maxfork == unset.maxfork,
                "waiter: maxfork is set, but this fork policy has no such option. See docs/options.md");
  for_each_limit(Limits, options, [](const auto& limit, auto& option, const auto& otherwise) {
    if (limit != otherwise) option = limit;
  });
  return options;
}

}  // namespace waiter

#endif
