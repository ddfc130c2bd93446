/* The yardstick: kids that block in accept(2) and write one line, in as little C as that takes.
 *   blocking_accept KIDS      prints its port; ends with its standard input */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void serve(int door) {
  static const char line[] = "hello world\n";
  for (;;) {
    const int client = accept4(door, NULL, NULL, SOCK_CLOEXEC);
    if (client < 0) _exit(1);
    if (send(client, line, sizeof line - 1, MSG_NOSIGNAL) < 0) perror("send");
    close(client);
  }
}

int main(int argc, char** argv) {
  const int kids = argc > 1 ? atoi(argv[1]) : 8, on = 1;
  struct sockaddr_in here;
  socklen_t size = sizeof here;
  memset(&here, 0, sizeof here);
  here.sin_family = AF_INET;
  here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int door = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  setsockopt(door, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(door, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (bind(door, (struct sockaddr*)&here, sizeof here) != 0 || listen(door, SOMAXCONN) != 0 ||
      getsockname(door, (struct sockaddr*)&here, &size) != 0)
    return 1;
  pid_t pids[1024];
  for (int kid = 0; kid < kids && kid < 1024; ++kid) {
    pids[kid] = fork();
    if (pids[kid] == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      serve(door);
    }
  }
  printf("%d\n", ntohs(here.sin_port));
  fflush(stdout);
  while (getchar() != EOF) {
  }
  for (int kid = 0; kid < kids && kid < 1024; ++kid) {
    kill(pids[kid], SIGKILL);
    waitpid(pids[kid], NULL, 0);
  }
  return 0;
}
