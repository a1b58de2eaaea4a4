#!/usr/bin/env python3
"""Joins two network namespaces by a line of a given delay and rate, as root, where the kernel has no netem.

    tests/mpi/slow_network.py NAMESPACE ADDRESS NAMESPACE ADDRESS DELAY_MS MBIT [READY]

In each namespace it makes a TUN device, slow0, with its address (10.78.0.1/24). A packet that goes into one comes out of the other when
all before it have passed at the rate, and the delay later; each way has a line of its own. Of packets that would wait for longer than
100 ms for their turn the last are dropped, as a router does. READY is a file that is made when the line is there. It runs until it is
ended by a signal, or until its parent ends; the devices go with it.
"""
import collections
import ctypes
import fcntl
import os
import select
import signal
import struct
import subprocess
import sys
import time

TUNSETIFF, IFF_TUN, IFF_NO_PI, CLONE_NEWNET = 0x400454CA, 1, 0x1000, 0x40000000
MOST_WAIT = .1  # seconds
libc = ctypes.CDLL(None, use_errno=True)


def enter(file):
    if libc.setns(file.fileno(), CLONE_NEWNET):
        sys.exit(f"slow_network: {file.name}: {os.strerror(ctypes.get_errno())}")


def device(namespace, address):
    home, there = open("/proc/self/ns/net"), open("/var/run/netns/" + namespace)
    enter(there)
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", b"slow0", IFF_TUN | IFF_NO_PI))
    enter(home)
    ip = ["ip", "-n", namespace]
    subprocess.run([*ip, "addr", "add", address, "dev", "slow0"], check=True)
    subprocess.run([*ip, "link", "set", "slow0", "txqueuelen", "1000", "up"], check=True)
    subprocess.run([*ip, "link", "set", "lo", "up"], check=True)
    return fd


class Line:
    def __init__(self, source, target, delay, rate):
        self.source, self.target, self.delay, self.rate = source, target, delay, rate
        self.queue, self.free = collections.deque(), 0.  # packets under way; when the line is free again

    def take(self):
        """Takes what has come in."""
        try:
            while True:
                packet = os.read(self.source, 65536)
                now = time.monotonic()
                begin = max(now, self.free)
                if begin - now > MOST_WAIT:
                    continue
                self.free = begin + len(packet) * 8 / self.rate
                self.queue.append((self.free + self.delay, packet))
        except BlockingIOError:
            pass

    def give(self):
        """Gives what has arrived. Returns the seconds until the next packet does, or None."""
        while self.queue:
            left = self.queue[0][0] - time.monotonic()
            if left > 0:
                return left
            try:
                os.write(self.target, self.queue.popleft()[1])
            except OSError:
                pass  # the other side is down: the packet is lost
        return None


def main():
    if len(sys.argv) not in (7, 8):
        sys.exit(__doc__.strip().splitlines()[2].strip())
    one, one_address, two, two_address, delay, rate, *ready = sys.argv[1:]
    libc.prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
    a, b = device(one, one_address), device(two, two_address)
    seconds, bits = float(delay) / 1000, float(rate) * 1e6
    lines = [Line(a, b, seconds, bits), Line(b, a, seconds, bits)]
    if ready:
        open(ready[0], "w").close()
    while True:
        waits = [w for w in (line.give() for line in lines) if w is not None]
        select.select([a, b], [], [], min(waits, default=None))
        for line in lines:
            line.take()


main()
