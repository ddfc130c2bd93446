/* The listening socket of all references. */
#ifndef BENCHMARKS_REFERENCE_DOOR_H
#define BENCHMARKS_REFERENCE_DOOR_H

/* Listens on 127.0.0.1 (0: a port of the kernel's choice), and prints the port. What accepted sockets inherit is set here, once.
 * Ends the program if it cannot. */
int open_door(const char* port);

#endif
