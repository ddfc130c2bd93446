# What README.md tells to do without a build system. The folder `waiter` holds the sources, `server.cpp` and `tls_server.cpp` a server.
set -eu
g++ -std=c++20 -I waiter/include server.cpp -o server
g++ -std=c++20 -I waiter/include tls_server.cpp -lssl -lcrypto -o tls_server
