/* nofork WORK PORT: one process, one client at a time. */
#define _GNU_SOURCE
#include "door.h"
#include "work.h"

#include <sys/socket.h>

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  choose_work(argv[1], argc > 4 ? argv[4] : 0, argc > 5);
  const int door = open_door(argv[2]);
  for (;;) {
    const int client = accept4(door, 0, 0, SOCK_CLOEXEC);
    if (client >= 0) serve(client);
  }
}
