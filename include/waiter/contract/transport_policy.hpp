#ifndef WAITER_CONTRACT_TRANSPORT_POLICY_HPP
#define WAITER_CONTRACT_TRANSPORT_POLICY_HPP

#include <waiter/contract/has_name.hpp>

#include <chrono>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace waiter {

class connection;

/// The least that is a transport: its client is never open. Transports are explained in `docs/contracts.md`.
struct transport_policy_archetype {
  struct options {};
  static constexpr std::string_view name = "archetype";
  static constexpr bool encrypted = false;

  struct client_type {
    const char* peer() const noexcept { return ""; }
    bool is_open() const noexcept { return false; }
    bool at_end() const noexcept { return true; }
    int native_handle() const noexcept { return -1; }
    void close() noexcept {}
    void expires_after(std::chrono::milliseconds) noexcept {}
    void expires_within(std::chrono::milliseconds) noexcept {}
    void min_rate(unsigned) noexcept {}
    int take_socket() noexcept { return -1; }
    void write(std::string_view) {}
  };

  std::optional<std::string> prepare(const options&) { return std::nullopt; }
  client_type welcome(connection&&) noexcept { return {}; }
  std::optional<std::string> handshake(client_type&) { return std::nullopt; }
  void finish(client_type&) {}
};

namespace contract {

/// A client as the server handles it; `waiter::connected_client` gives all of it.
template <class Client>
concept served_client = requires(Client& client, const Client& same) {
  client.close();
  client.expires_after(std::chrono::milliseconds());
  client.expires_within(std::chrono::milliseconds());
  client.min_rate(0u);
  same.peer();
  { client.take_socket() } -> std::same_as<int>;
  { same.is_open() } -> std::same_as<bool>;
  { same.at_end() } -> std::same_as<bool>;
  { same.native_handle() } -> std::same_as<int>;
};

// The clauses of a transport, one by one, so that a fault gives one sentence.
template <class Policy>
concept has_transport_options = requires { requires std::default_initializable<typename Policy::options>; };
template <class Policy>
concept has_client_type = requires { requires served_client<typename Policy::client_type>; };
template <class Policy>
concept has_encrypted = requires {
  { Policy::encrypted } -> std::convertible_to<bool>;
};
template <class Policy>
concept has_transport_prepare = requires(Policy& policy, const typename Policy::options& settings) {
  { policy.prepare(settings) } -> std::same_as<std::optional<std::string>>;
};
template <class Policy>
concept has_welcome = requires(Policy& policy, connection&& wire) {
  { policy.welcome(std::move(wire)) } -> std::same_as<typename Policy::client_type>;
};
/// Its clients are served by coroutines, many at a time (`waiter::async_transport`).
template <class Policy>
concept is_asynchronous = requires { requires Policy::asynchronous; };
template <class Policy>
concept has_handshake = is_asynchronous<Policy> || requires(Policy& policy, typename Policy::client_type& client) {
  { policy.handshake(client) } -> std::same_as<std::optional<std::string>>;
};
template <class Policy>
concept has_finish =
    is_asynchronous<Policy> || requires(Policy& policy, typename Policy::client_type& client) { policy.finish(client); };

/// The one clause that may be left out: a transport that reads files can read them again.
template <class Policy>
concept reloading_transport = requires(Policy& policy, const typename Policy::options& settings) {
  { policy.reload(settings) } -> std::same_as<std::optional<std::string>>;
};

/// A member of this name, whatever it is: deriving from both makes the name ambiguous exactly when the policy has it.
struct reload_decoy {
  int reload;
};
template <class Policy>
struct reload_probe : Policy, reload_decoy {};
template <class Policy>
constexpr bool names_reload() {
  if constexpr (std::is_class_v<Policy> && !std::is_final_v<Policy>)
    return !requires { &reload_probe<Policy>::reload; };
  else
    return false;
}

}  // namespace contract

/// What carries the bytes: a policy of this kind is the third parameter of `basic_waiter`.
template <class Policy>
concept transport_policy =
    std::default_initializable<Policy> && contract::has_name<Policy> && contract::has_transport_options<Policy> &&
    contract::has_client_type<Policy> && contract::has_encrypted<Policy> && contract::has_transport_prepare<Policy> &&
    contract::has_welcome<Policy> && contract::has_handshake<Policy> && contract::has_finish<Policy> &&
    (contract::reloading_transport<Policy> || !contract::names_reload<Policy>());

static_assert(transport_policy<transport_policy_archetype> && !transport_policy<int>);

namespace contract {

/// Says what is wrong with a policy, in one sentence for each broken clause, and is no code at all.
template <class Policy>
constexpr void explain_transport_policy() {
  // What is no class has broken every clause, and one sentence is enough; so is one for what builds on a broken clause.
  constexpr bool silent = !std::is_class_v<Policy> || transport_policy<Policy>;
  static_assert(std::is_class_v<Policy>,
                "waiter: the third parameter of basic_waiter is a transport: plain, ssl, or a class of your own. See "
                "docs/contracts.md");
  static_assert(std::default_initializable<Policy> || silent,
                "waiter: a transport is made without arguments: give it a default constructor. See docs/contracts.md");
  static_assert(has_transport_options<Policy> || silent,
                "waiter: a transport has options that may all be left out: `struct options {};`. See docs/contracts.md");
  static_assert(has_client_type<Policy> || silent,
                "waiter: a transport has a client: `using client_type = …;`, a class that derives from "
                "`waiter::connected_client<itself>`. See docs/contracts.md");
  static_assert(has_name<Policy> || silent,
                "waiter: a transport has a name for the log: `static constexpr std::string_view name = \"…\";`. See "
                "docs/contracts.md");
  static_assert(has_encrypted<Policy> || silent,
                "waiter: a transport says whether it hides the bytes: `static constexpr bool encrypted = false;`. See "
                "docs/contracts.md");
  static_assert(has_transport_prepare<Policy> || !has_transport_options<Policy> || silent,
                "waiter: a transport is told its options before the socket exists: `std::optional<std::string> prepare(const "
                "options&)`, which returns what is wrong with them, or nothing. See docs/contracts.md");
  static_assert(has_welcome<Policy> || !has_client_type<Policy> || silent,
                "waiter: a transport makes a client of a connection, without a word to it: `client_type "
                "welcome(waiter::connection&& wire)`. See docs/contracts.md");
  static_assert(has_handshake<Policy> || !has_client_type<Policy> || silent,
                "waiter: a transport begins to talk in the process that serves: `std::optional<std::string> "
                "handshake(client_type&)`, which returns why it failed, or nothing. See docs/contracts.md");
  static_assert(has_finish<Policy> || !has_client_type<Policy> || silent,
                "waiter: a transport says its last words before the socket is closed: `void finish(client_type&)`. See "
                "docs/contracts.md");
  static_assert(reloading_transport<Policy> || !names_reload<Policy>() || !has_transport_options<Policy> || silent,
                "waiter: a transport that has `reload` reads its files anew there: `std::optional<std::string> reload(const "
                "options&)`, which returns why it goes on with what it has, or nothing. See docs/contracts.md");
}

/// The archetype stands in for a faulty policy, so that nothing else falls over.
template <class Policy>
using checked_transport_policy = std::conditional_t<transport_policy<Policy>, Policy, transport_policy_archetype>;

}  // namespace contract
}  // namespace waiter

#endif
