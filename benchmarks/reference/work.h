/* What is done for a client. */
#ifndef BENCHMARKS_REFERENCE_WORK_H
#define BENCHMARKS_REFERENCE_WORK_H

/* The work of that name, from now on: hello, echo, get, put, uneven (see work.c). `pem` holds certificate and key, for TLS.
 * Ends the program if it cannot. */
void choose_work(const char* name, const char* pem, int read_ahead);

/* Serves the client, and closes it. */
void serve(int client);

#endif
