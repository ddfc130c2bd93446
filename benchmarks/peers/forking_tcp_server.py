"""forking_tcp_server.py WORK PORT: Python's own, a process for each client."""
import socketserver
import sys


class Hello(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.sendall(b"hello world\n")


class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while text := self.request.recv(16384):
            self.request.sendall(text)


class Server(socketserver.ForkingTCPServer):
    allow_reuse_address = True
    request_queue_size = 4096
    max_children = 1024


Server(("127.0.0.1", int(sys.argv[2])), {"hello": Hello, "echo": Echo}[sys.argv[1]]).serve_forever()
