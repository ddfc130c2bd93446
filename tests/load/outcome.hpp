#ifndef TESTS_LOAD_OUTCOME_HPP
#define TESTS_LOAD_OUTCOME_HPP

#include <array>
#include <cstddef>
#include <string_view>

namespace load {

/// What became of a client. Each has exactly one.
enum outcome : std::size_t { answered, refused, reset_after_connect, closed_without_answer, connect_timeout, answer_timeout, own_error };

inline constexpr std::array<std::string_view, 7> outcome_names{
    "answered", "refused", "reset_after_connect", "closed_without_answer", "connect_timeout", "answer_timeout", "own_error"};

}  // namespace load

#endif
