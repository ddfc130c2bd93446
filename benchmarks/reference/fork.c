/* fork WORK PORT: a process for each client. */
#define _GNU_SOURCE
#include "door.h"
#include "work.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void reap(int signal) {
  const int reason = errno;
  (void)signal;
  while (waitpid(-1, 0, WNOHANG) > 0) {
  }
  errno = reason;
}

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  choose_work(argv[1], argc > 4 ? argv[4] : 0, argc > 5);
  const int door = open_door(argv[2]);
  signal(SIGCHLD, reap);
  for (;;) {
    const int client = accept4(door, 0, 0, SOCK_CLOEXEC);
    if (client < 0) continue;
    if (fork() == 0) {
      close(door);
      serve(client);
      _exit(0);
    }
    close(client);
  }
}
