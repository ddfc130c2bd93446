#include "work.h"

#include "wire.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char line[] = "hello world\n";
static char bulk[16 << 20];

/* Says one line. */
static void hello(wire client) { wire_write(client, line, sizeof line - 1); }

/* Says back what it is told, until there is no more. */
static void echo(wire client) {
  char buffer[16384];
  for (ssize_t size; (size = wire_read(client, buffer, sizeof buffer)) > 0;) {
    if (wire_write(client, buffer, (size_t)size) != size) return;
  }
}

/* Gives 16 MB. */
static void get(wire client) {
  for (size_t sent = 0; sent < sizeof bulk;) {
    const ssize_t size = wire_write(client, bulk + sent, sizeof bulk - sent);
    if (size <= 0) return;
    sent += (size_t)size;
  }
}

/* Takes all there is, and says so. */
static void put(wire client) {
  static char buffer[256 * 1024];
  while (wire_read(client, buffer, sizeof buffer) > 0) {
  }
  wire_write(client, line, sizeof line - 1);
}

/* Takes 50 ms for a client that says "slow". */
static void uneven(wire client) {
  char word[16];
  if (wire_read(client, word, sizeof word) > 0 && word[0] == 's') usleep(50000);
  wire_write(client, line, sizeof line - 1);
}

static void (*work)(wire client);

void choose_work(const char* name, const char* pem, int read_ahead) {
  static const struct {
    const char* name;
    void (*work)(wire client);
  } works[] = {{"hello", hello}, {"echo", echo}, {"get", get}, {"put", put}, {"uneven", uneven}};
  for (size_t one = 0; one < sizeof works / sizeof *works; ++one) {
    if (strcmp(name, works[one].name) == 0) work = works[one].work;
  }
  signal(SIGPIPE, SIG_IGN);
  if (work == NULL || !wire_prepare(pem, read_ahead)) {
    fprintf(stderr, "no such work, or no such certificate and key\n");
    exit(2);
  }
}

void serve(int client) {
  wire here;
  if (wire_open(&here, client)) work(here);
  wire_close(here, client);
}
