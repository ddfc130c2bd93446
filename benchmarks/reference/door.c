#include "door.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

int open_door(const char* port) {
  const int on = 1;
  struct sockaddr_in here;
  socklen_t size = sizeof here;
  memset(&here, 0, sizeof here);
  here.sin_family = AF_INET;
  here.sin_port = htons((in_port_t)atoi(port));
  here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int door = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  setsockopt(door, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(door, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (bind(door, (struct sockaddr*)&here, sizeof here) != 0 || listen(door, SOMAXCONN) != 0 ||
      getsockname(door, (struct sockaddr*)&here, &size) != 0) {
    perror("listen");
    exit(1);
  }
  printf("%d\n", ntohs(here.sin_port));
  fflush(stdout);
  return door;
}
