"""A local web server with Range, and with the faults a download must live with.

    range_server.py FOLDER PORT_FILE [--cut BYTES] [--no-range] [--busy N]

Serves FOLDER on 127.0.0.1; writes its port to PORT_FILE. --cut: every answer's connection is lost after BYTES bytes of the body;
--no-range: answers a range with the whole file; --busy: the first N answers are 503. Writes a line a request to standard output:
the path, the first byte asked for, the status. Ends when its standard input does.
"""
import argparse
import os
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

options = argparse.ArgumentParser()
options.add_argument("folder")
options.add_argument("port_file")
options.add_argument("--cut", type=int, default=0)
options.add_argument("--no-range", action="store_true")
options.add_argument("--busy", type=int, default=0)
options = options.parse_args()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, first=0):
        print(self.path, first, status, flush=True)
        self.send_response(status)

    def do_GET(self):
        path = os.path.join(options.folder, os.path.basename(self.path))
        if options.busy > 0:
            options.busy -= 1
            self.answer(503)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if not os.path.isfile(path):
            self.answer(404)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        with open(path, "rb") as file:
            body = file.read()
        first = 0
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if asked and not options.no_range:
            first = int(asked[1])
            if first >= len(body):
                self.answer(416, first)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.answer(206, first)
            self.send_header("Content-Range", f"bytes {first}-{len(body) - 1}/{len(body)}")
        else:
            self.answer(200)
        body = body[first:]
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if options.cut and len(body) > options.cut:
            self.wfile.write(body[:options.cut])
            self.wfile.flush()
            self.close_connection = True
        else:
            self.wfile.write(body)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
with open(options.port_file + ".tmp", "w") as file:
    print(server.server_port, file=file)
os.rename(options.port_file + ".tmp", options.port_file)
sys.stdin.read()
