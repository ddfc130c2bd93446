/* How bytes reach a client: in clear, or, with REFERENCE_TLS, by OpenSSL on the descriptor. */
#ifndef BENCHMARKS_REFERENCE_WIRE_H
#define BENCHMARKS_REFERENCE_WIRE_H

#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

#ifdef REFERENCE_TLS

#include <openssl/ssl.h>

typedef SSL* wire;

static SSL_CTX* context;

/* In the parent, before the first fork. 0 is an error. */
static inline int wire_prepare(const char* pem, int read_ahead) {
  context = SSL_CTX_new(TLS_server_method());
  SSL_CTX_set_read_ahead(context, read_ahead);
  return pem != NULL && SSL_CTX_use_certificate_chain_file(context, pem) == 1 &&
         SSL_CTX_use_PrivateKey_file(context, pem, SSL_FILETYPE_PEM) == 1;
}
/* 0 is an error. */
static inline int wire_open(wire* here, int client) {
  *here = SSL_new(context);
  SSL_set_fd(*here, client);
  return SSL_accept(*here) == 1;
}
static inline ssize_t wire_read(wire here, void* data, size_t size) {
  size_t got = 0;
  return SSL_read_ex(here, data, size, &got) == 1 ? (ssize_t)got : 0;
}
static inline ssize_t wire_write(wire here, const void* data, size_t size) {
  size_t sent = 0;
  return SSL_write_ex(here, data, size, &sent) == 1 ? (ssize_t)sent : -1;
}
static inline void wire_close(wire here, int client) {
  SSL_shutdown(here);
  SSL_free(here);
  close(client);
}

#else

typedef int wire;

static inline int wire_prepare(const char* pem, int read_ahead) {
  (void)pem, (void)read_ahead;
  return 1;
}
static inline int wire_open(wire* here, int client) {
  *here = client;
  return 1;
}
static inline ssize_t wire_read(wire here, void* data, size_t size) { return recv(here, data, size, 0); }
static inline ssize_t wire_write(wire here, const void* data, size_t size) { return send(here, data, size, MSG_NOSIGNAL); }
static inline void wire_close(wire here, int client) {
  (void)here;
  close(client);
}

#endif
#endif
