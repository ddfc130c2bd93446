#ifndef WAITER_CLIENT_CLIENT_IOSTREAM_HPP
#define WAITER_CLIENT_CLIENT_IOSTREAM_HPP

#include <waiter/error.hpp>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <cassert>
#include <cstddef>
#include <cstring>
#include <istream>
#include <memory>
#include <streambuf>
#include <string_view>
#include <utility>

namespace waiter {

/// The bytes of a client on their way: what it has sent and nobody has taken yet, and what a `std::iostream` has written and not
/// sent yet. Who derives from it says how one read and one write are done.
///
/// Nothing is allocated before the first byte. Before a read waits for the client, what was written is sent, so that a question
/// need not be flushed for its answer to come.
class client_streambuf : public std::streambuf {
 public:
  /// How much is read or written at once, where nobody asks for more.
  static constexpr std::size_t chunk = 4096;

  client_streambuf() = default;
  client_streambuf(const client_streambuf&) = delete;
  client_streambuf& operator=(const client_streambuf&) = delete;

  /// What has been received and not been taken; valid until the next read.
  std::string_view held() const noexcept { return {gptr(), static_cast<std::size_t>(egptr() - gptr())}; }

  /// Takes the first `count` of the held bytes away.
  void take(std::size_t count) noexcept {
    assert(count <= held().size());
    setg(eback(), gptr() + count, egptr());
  }

  /// Receives once behind what is held.
  /// \param most  how large the memory for held bytes may grow; more than is held now
  std::size_t fill(std::size_t most, error_code& error) {
    make_room(most);
    const auto count = read(egptr(), room(), error);
    setg(eback(), gptr(), egptr() + count);
    return count;
  }

  /// Receives once, past what is held.
  std::size_t read(void* data, std::size_t size, error_code& error) {
    if (pending() && !flush(error)) return 0;
    const auto count = receive(data, size, error);
    assert(count != 0 || error);
    return count;
  }

  /// Something written waits to be sent.
  bool pending() const noexcept { return pptr() != pbase(); }

  /// Sends what was written. After a failure the rest is dropped, and each later write through the buffer fails with the same
  /// error: a client must not get a text with a hole in it.
  /// \return whether everything written so far was sent
  bool flush(error_code& error) {
    while (!write_error_ && pending()) {
      const auto size = static_cast<std::size_t>(pptr() - pbase());
      const auto sent = send(pbase(), size);
      setp(pbase() + sent, epptr());
      pbump(static_cast<int>(size - sent));
    }
    if (write_error_) {
      setp(nullptr, nullptr);
    } else if (written_) {
      setp(written_.get(), written_.get() + chunk);
    }
    error = write_error_;
    return !error;
  }

  /// Why the buffer last failed a stream; clear at a clean end.
  const error_code& last_error() const noexcept { return write_error_ ? write_error_ : read_error_; }

  /// Who is told by `badbit` that a read failed; a `streambuf` alone can only say "end".
  void tell(std::ios* stream) noexcept { stream_ = stream; }

 protected:
  /// One read from the client, of at least one byte; or 0 and an error, which is `boost::asio::error::eof` at the end.
  virtual std::size_t receive(void* data, std::size_t size, error_code& error) = 0;
  /// One write to the client, of at least one byte; or 0 and an error.
  virtual std::size_t transmit(const void* data, std::size_t size, error_code& error) = 0;

  int_type underflow() override {
    if (gptr() == egptr()) {
      error_code error;
      if (fill(chunk, error) == 0) return ended(error);
    }
    return traits_type::to_int_type(*gptr());
  }

  std::streamsize xsgetn(char* data, std::streamsize size) override {
    std::streamsize done = 0;
    while (done < size) {
      const auto wanted = static_cast<std::size_t>(size - done);
      if (held().empty() && wanted >= chunk) {
        // A long read needs no copy; what was read before it can then no longer be put back.
        setg(egptr(), egptr(), egptr());
        error_code error;
        const auto count = read(data + done, wanted, error);
        if (count == 0) {
          ended(error);
          break;
        }
        done += static_cast<std::streamsize>(count);
      } else if (!traits_type::eq_int_type(underflow(), traits_type::eof())) {
        const auto count = held().copy(data + done, wanted);
        take(count);
        done += static_cast<std::streamsize>(count);
      } else {
        break;
      }
    }
    return done;
  }

  int_type overflow(int_type byte) override {
    error_code error;
    if (!flush(error)) return traits_type::eof();
    if (!written_) allocate_written();
    if (!traits_type::eq_int_type(byte, traits_type::eof())) {
      *pptr() = traits_type::to_char_type(byte);
      pbump(1);
    }
    return traits_type::not_eof(byte);
  }

  std::streamsize xsputn(const char* data, std::streamsize size) override {
    std::streamsize done = put(data, size);
    while (done < size) {
      error_code error;
      if (!flush(error)) break;
      if (size - done >= static_cast<std::streamsize>(chunk)) {
        done += static_cast<std::streamsize>(send(data + done, static_cast<std::size_t>(size - done)));
      } else {
        if (!written_) allocate_written();
        done += put(data + done, size - done);
      }
    }
    return done;
  }

  int sync() override {
    error_code error;
    return flush(error) ? 0 : -1;
  }

 private:
  std::size_t room() const noexcept { return static_cast<std::size_t>(received_.get() + capacity_ - egptr()); }

  // The rest of a line is moved to the front once at most, and memory doubles: a byte is copied a constant number of times.
  void make_room(std::size_t most) {
    const auto rest = held();
    if (rest.empty()) setg(received_.get(), received_.get(), received_.get());
    const auto enough = capacity_ / 4;
    if (capacity_ != 0 && room() >= enough) return;
    if (gptr() != received_.get()) {
      std::memmove(received_.get(), rest.data(), rest.size());
      setg(received_.get(), received_.get(), received_.get() + rest.size());
    }
    const auto larger = std::min(most, std::max(chunk, capacity_ * 2));
    if (larger <= capacity_ || (capacity_ != 0 && room() >= enough)) return;
    auto bytes = std::make_unique_for_overwrite<char[]>(larger);
    if (!rest.empty()) std::memcpy(bytes.get(), gptr(), rest.size());
    received_ = std::move(bytes);
    capacity_ = larger;
    setg(received_.get(), received_.get(), received_.get() + rest.size());
  }

  std::size_t send(const char* data, std::size_t size) {
    const auto sent = transmit(data, size, write_error_);
    assert(sent != 0 || write_error_);
    return sent;
  }

  std::streamsize put(const char* data, std::streamsize size) {
    const auto count = std::min<std::streamsize>(size, epptr() - pptr());
    if (count == 0) return 0;
    std::memcpy(pptr(), data, static_cast<std::size_t>(count));
    pbump(static_cast<int>(count));
    return count;
  }

  void allocate_written() {
    written_ = std::make_unique_for_overwrite<char[]>(chunk);
    setp(written_.get(), written_.get() + chunk);
  }

  int_type ended(const error_code& error) {
    if (error != boost::asio::error::eof) {
      read_error_ = error;
      if (stream_) stream_->setstate(std::ios_base::badbit);
    }
    return traits_type::eof();
  }

  std::unique_ptr<char[]> received_;
  std::size_t capacity_ = 0;
  std::unique_ptr<char[]> written_;
  error_code read_error_;
  error_code write_error_;
  std::ios* stream_ = nullptr;
};

/// A `std::iostream` over a client's buffer. At a clean end it has `eofbit`; after an error `badbit` too, and the buffer's
/// `last_error()` says which. It throws only what its user asks for with `exceptions()`.
class client_iostream final : public std::iostream {
 public:
  explicit client_iostream(client_streambuf& buffer) : std::iostream(&buffer), buffer_(buffer) { buffer_.tell(this); }
  ~client_iostream() override { buffer_.tell(nullptr); }

 private:
  client_streambuf& buffer_;
};

}  // namespace waiter

#endif
