"""Says its version when somebody connects, and again for each line that it gets."""

import os
import socketserver


class Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.say()
        for _ in self.rfile:
            self.say()

    def say(self) -> None:
        self.wfile.write(os.environ["VERSION"].encode() + b"\n")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128


if __name__ == "__main__":
    Server(("", 8080), Handler).serve_forever()
