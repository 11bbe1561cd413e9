#!/usr/bin/python3
"""A UDP relay that repeats and re-orders datagrams in both directions: udp_disorder.py PORT TO_ADDRESS TO_PORT REPEATED HELD [DELAY]
With DELAY every datagram is that many ms on its way. REPEATED and HELD are percent of the datagrams; a held one is sent after up to five later ones, or after 50 ms."""
import random
import select
import socket
import sys
import time


def main():
    port, address, to_port, repeated, held = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6])
    delay = int(sys.argv[6]) / 1000 if len(sys.argv) > 6 else 0
    front = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    front.bind(("127.0.0.1", int(port)))
    back = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    back.connect((address, to_port))
    client = None
    waiting = []  # (time or count down, send)
    print("ready", flush=True)
    while True:
        readable, _, _ = select.select([front, back], [], [], 0.02)
        for sock in readable:
            try:
                if sock is front:
                    data, client = front.recvfrom(65536)
                    send = back.send
                else:
                    data = back.recv(65536)
                    if client is None:
                        continue
                    send = (lambda to: lambda bytes_: front.sendto(bytes_, to))(client)
            except ConnectionRefusedError:
                continue
            for _ in range(2 if random.randrange(100) < repeated else 1):
                if delay:
                    waiting.append([sys.maxsize, time.monotonic() + delay, send, data])
                elif random.randrange(100) < held:
                    waiting.append([random.randint(1, 5), time.monotonic() + 0.05, send, data])
                else:
                    deliver(send, data)
            for entry in waiting:
                entry[0] -= 1
        now = time.monotonic()
        for entry in [e for e in waiting if e[0] <= 0 or e[1] <= now]:
            waiting.remove(entry)
            deliver(entry[2], entry[3])


def deliver(send, data):
    try:
        send(data)
    except ConnectionRefusedError:
        pass


main()
