#ifndef WAITER_CLIENT_TEXT_HPP
#define WAITER_CLIENT_TEXT_HPP

#include <waiter/client/client_iostream.hpp>
#include <waiter/error.hpp>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <cstddef>
#include <istream>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace waiter {

/// What every transport's client offers beside its transport's own: Asio's SyncReadStream and SyncWriteStream, lines, whole texts
/// and a `std::iostream`. They may be mixed in any order: no byte is lost, and none is overtaken.
///
/// A client type derives from `text_client<itself>`, befriends it, and has two members, private if it likes:
/// - `std::size_t receive(void* data, std::size_t size, error_code& error)`: one read of at least one byte, and `error` clear; or
///   0 and an error, `boost::asio::error::eof` at the end of the stream, again at each further call;
/// - `std::size_t transmit(const void* data, std::size_t size, error_code& error)`: one write of at least one byte, and `error`
///   clear; or 0 and an error.
///
/// `size` is never 0. Before a client is closed, its owner calls `flush_stream()`; the destructor cannot.
///
/// Each function without an `error_code&` throws `system_error` instead. A client lives in one place: it is neither copied nor
/// moved.
template <class Derived>
class text_client {
 public:
  /// The most that `read_line` and `read_all` take, where the caller does not say.
  static constexpr std::size_t default_line_limit = 8192;
  static constexpr std::size_t default_text_limit = std::size_t{1} << 20;

  text_client(const text_client&) = delete;
  text_client& operator=(const text_client&) = delete;

  /// Reads at least one byte: what `read_line` or the stream left over; or else by one read of the transport, straight into the
  /// first buffer that is not empty. Buffers without room give 0 and no error.
  template <class MutableBufferSequence>
  std::size_t read_some(const MutableBufferSequence& buffers, error_code& error) {
    if (text_) [[unlikely]] {
      return read_in_order(buffers, error);
    }
    return read_directly(buffers, error);
  }
  template <class MutableBufferSequence>
  std::size_t read_some(const MutableBufferSequence& buffers) {
    return or_throw("read_some", [&](error_code& error) { return read_some(buffers, error); });
  }

  /// Writes at least one byte of the first buffer that is not empty, by one write of the transport. Empty buffers give 0 and no
  /// error.
  template <class ConstBufferSequence>
  std::size_t write_some(const ConstBufferSequence& buffers, error_code& error) {
    if (text_) [[unlikely]] {
      return write_in_order(buffers, error);
    }
    return write_directly(buffers, error);
  }
  template <class ConstBufferSequence>
  std::size_t write_some(const ConstBufferSequence& buffers) {
    return or_throw("write_some", [&](error_code& error) { return write_some(buffers, error); });
  }

  /// Writes all of the text. After an error a part of it may have been sent.
  void write(std::string_view text, error_code& error) {
    if (text.empty()) return error.clear();
    const std::size_t sent = write_piece(text, error);
    if (sent != text.size()) [[unlikely]] write_rest(text.substr(sent), error);
  }
  void write(std::string_view text) {
    error_code error;
    write(text, error);
    if (error) [[unlikely]] throw_failed(error, "write");
  }

  /// Reads a line and gives it without its end, "\n" or "\r\n"; a last line may lack its end. At the end of the stream there is
  /// none, and no error.
  ///
  /// After any error, a deadline included, what was read of the line stays, so that the next read begins with it.
  /// \param limit  how long the line may be without its end; else `error::line_too_long`, and the client is best closed. The
  ///               client holds at most this and one chunk (`client_streambuf::chunk`) of memory.
  std::optional<std::string> read_line(std::size_t limit, error_code& error) {
    error.clear();
    auto& text = this->text();
    for (std::size_t searched = 0;;) {
      const auto held = text.held();
      if (const auto end = held.find('\n', searched); end != held.npos) {
        return take_line(end != 0 && held[end - 1] == '\r' ? end - 1 : end, end + 1, limit, error);
      }
      // A carriage return may be half of the end.
      if (held.size() > limit && (held.size() - limit > 1 || held.back() != '\r')) return take_line(held.size(), 0, limit, error);
      searched = held.size();
      if (text.fill(limit_and_chunk(limit), error) != 0) continue;
      if (error != boost::asio::error::eof) return std::nullopt;
      error.clear();
      if (searched == 0) return std::nullopt;
      return take_line(searched, searched, limit, error);
    }
  }
  std::optional<std::string> read_line(error_code& error) { return read_line(default_line_limit, error); }
  std::optional<std::string> read_line(std::size_t limit = default_line_limit) {
    return or_throw("read_line", [&](error_code& error) { return read_line(limit, error); });
  }

  /// Reads to the end of the stream, which is no error. With an error it gives what came before.
  /// \param limit  how long the text may be; else `error::too_much_data`, and the first `limit` bytes are given
  std::string read_all(std::size_t limit, error_code& error) {
    error.clear();
    std::string all;
    std::size_t size = 0;
    while (!error && size != limit) {
      if (size == all.size()) all.resize(std::min(limit, std::max(client_streambuf::chunk, size * 2)));
      size += read_some(boost::asio::buffer(all.data() + size, all.size() - size), error);
    }
    all.resize(size);
    // Whether there is more can only be told by reading it; it stays for the next read.
    if (!error && (buffered() != 0 || text().fill(client_streambuf::chunk, error) != 0)) error = error::too_much_data;
    if (error == boost::asio::error::eof) error.clear();
    return all;
  }
  std::string read_all(error_code& error) { return read_all(default_text_limit, error); }
  std::string read_all(std::size_t limit = default_text_limit) {
    return or_throw("read_all", [&](error_code& error) { return read_all(limit, error); });
  }

  /// The client as a `std::iostream`, made at the first call; it lives as long as the client.
  ///
  /// What is written is sent when 4 KB are full, by `std::flush` and `std::endl`, before any read waits for the client, before
  /// any other write to it, and before it is closed. It does not throw: the end is `eofbit`, an error is `badbit` and
  /// `stream_error()`.
  std::iostream& stream() {
    auto& text = this->text();
    if (!text.stream) text.stream = std::make_unique<client_iostream>(text);
    return *text.stream;
  }

  /// Why the stream failed; clear if it did not, or only met the end.
  error_code stream_error() const { return text_ ? text_->last_error() : error_code{}; }

  /// Sends what was written to the stream; without a stream it does nothing. It throws nothing of its own.
  error_code flush_stream() {
    error_code error;
    if (text_) text_->flush(error);
    return error;
  }

  /// How many bytes have been received and not been read: they no longer show in poll(2) on the descriptor.
  std::size_t buffered() const noexcept { return text_ ? text_->held().size() : 0; }

 protected:
  text_client() = default;
  ~text_client() = default;

 private:
  struct text_buffer final : client_streambuf {
    explicit text_buffer(text_client& client) : owner(client) {}
    std::size_t receive(void* data, std::size_t size, error_code& error) override { return owner.pull(data, size, error); }
    std::size_t transmit(const void* data, std::size_t size, error_code& error) override { return owner.push(data, size, error); }

    text_client& owner;
    std::unique_ptr<client_iostream> stream;
  };

  [[gnu::always_inline]] std::size_t pull(void* data, std::size_t size, error_code& error) {
    return static_cast<Derived&>(*this).receive(data, size, error);
  }
  [[gnu::always_inline]] std::size_t push(const void* data, std::size_t size, error_code& error) {
    return static_cast<Derived&>(*this).transmit(data, size, error);
  }

  text_buffer& text() {
    if (!text_) text_ = std::make_unique<text_buffer>(*this);
    return *text_;
  }

  template <class MutableBufferSequence>
  std::size_t read_directly(const MutableBufferSequence& buffers, error_code& error) {
    const auto buffer = first_filled<boost::asio::mutable_buffer>(buffers);
    if (buffer.size() != 0) [[likely]] {
      return pull(buffer.data(), buffer.size(), error);
    }
    error.clear();
    return 0;
  }
  template <class ConstBufferSequence>
  std::size_t write_directly(const ConstBufferSequence& buffers, error_code& error) {
    const auto buffer = first_filled<boost::asio::const_buffer>(buffers);
    if (buffer.size() != 0) [[likely]] {
      return push(buffer.data(), buffer.size(), error);
    }
    error.clear();
    return 0;
  }

  // Out of line, so that a client without lines and stream does not pay for them.
  template <class MutableBufferSequence>
  [[gnu::noinline]] std::size_t read_in_order(const MutableBufferSequence& buffers, error_code& error) {
    if (const auto held = text_->held(); !held.empty()) {
      const auto count = boost::asio::buffer_copy(buffers, boost::asio::buffer(held));
      text_->take(count);
      error.clear();
      return count;
    }
    if (text_->pending() && !text_->flush(error)) return 0;
    return read_directly(buffers, error);
  }
  template <class ConstBufferSequence>
  [[gnu::noinline]] std::size_t write_in_order(const ConstBufferSequence& buffers, error_code& error) {
    if (text_->pending() && !text_->flush(error)) return 0;
    return write_directly(buffers, error);
  }

  std::optional<std::string> take_line(std::size_t length, std::size_t with_end, std::size_t limit, error_code& error) {
    if (length > limit) {
      error = error::line_too_long;
      return std::nullopt;
    }
    std::optional<std::string> line{text_->held().substr(0, length)};
    text_->take(with_end);
    return line;
  }

  [[gnu::always_inline]] std::size_t write_piece(std::string_view text, error_code& error) {
    if (text_) [[unlikely]] return write_in_order(boost::asio::buffer(text), error);
    return push(text.data(), text.size(), error);
  }
  [[gnu::noinline]] void write_rest(std::string_view text, error_code& error) {
    while (!text.empty() && !error) text.remove_prefix(write_some(boost::asio::buffer(text), error));
  }

  static constexpr std::size_t limit_and_chunk(std::size_t limit) {
    constexpr auto most = std::numeric_limits<std::size_t>::max();
    return limit < most - client_streambuf::chunk ? limit + client_streambuf::chunk : most;
  }

  template <class Buffer, class BufferSequence>
  static Buffer first_filled(const BufferSequence& buffers) {
    const auto end = boost::asio::buffer_sequence_end(buffers);
    for (auto position = boost::asio::buffer_sequence_begin(buffers); position != end; ++position) {
      const Buffer buffer(*position);
      if (buffer.size() != 0) return buffer;
    }
    return Buffer();
  }

  [[noreturn, gnu::cold, gnu::noinline]] static void throw_failed(const error_code& error, const char* name) { throw system_error(error, name); }

  template <class Operation>
  static auto or_throw(const char* name, Operation operation) {
    error_code error;
    if constexpr (std::is_void_v<decltype(operation(error))>) {
      operation(error);
      if (error) [[unlikely]] throw_failed(error, name);
    } else {
      auto result = operation(error);
      if (error) [[unlikely]] throw_failed(error, name);
      return result;
    }
  }

  std::unique_ptr<text_buffer> text_;
};

}  // namespace waiter

#endif
