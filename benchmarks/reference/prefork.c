/* prefork WORK PORT KIDS: kids that block in accept(2). */
#define _GNU_SOURCE
#include "door.h"
#include "work.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  choose_work(argv[1], argc > 4 ? argv[4] : 0, argc > 5);
  const int door = open_door(argv[2]);
  for (int kid = 0; kid < atoi(argv[3]); ++kid) {
    if (fork() != 0) continue;
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    for (;;) {
      const int client = accept4(door, 0, 0, SOCK_CLOEXEC);
      if (client >= 0) serve(client);
    }
  }
  for (;;) pause();
}
