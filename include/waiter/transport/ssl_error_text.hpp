#ifndef WAITER_TRANSPORT_SSL_ERROR_TEXT_HPP
#define WAITER_TRANSPORT_SSL_ERROR_TEXT_HPP

#include <openssl/err.h>

#include <string>

namespace waiter {

/// What OpenSSL has to say about the last failure of this thread, its deepest cause first; empty when it has nothing to say.
/// Takes the errors from OpenSSL's queue (ERR_get_error(3)).
inline std::string ssl_error_text() {
  std::string text;
  while (const auto code = ERR_get_error()) {
    if (!text.empty()) text += "; ";
    if (const char* reason = ERR_reason_error_string(code)) {
      text += reason;
    } else {
      char buffer[256];
      ERR_error_string_n(code, buffer, sizeof buffer);
      text += buffer;
    }
  }
  return text;
}

}  // namespace waiter

#endif
