"""Packets of protocol version 1, written from the protocol's description alone: shares no code with the product."""
import hashlib
import os
import random
import zlib

from Cryptodome.Cipher import AES, Blowfish

BLOWFISH_IV = bytes.fromhex("fedcba9876543210")
LAST_LOCAL = 9997


class Refused(ValueError):
    """A packet that must not be believed; the text says at which step."""


def _hex(data):
    return hashlib.md5(data).hexdigest().encode()


def derive(agent_id, name, key):
    """The 47 characters of section 2.1; AES takes the first 32."""
    return _hex(key.encode()) + _hex(_hex(name.encode()) + _hex(agent_id.encode()))[:15]


def advance(counter):
    global_part, local = counter
    return (global_part + 1, 1) if local >= LAST_LOCAL else (global_part, local + 1)


def seal(secret, cipher, counter, message, prefix=b""):
    rest = b"%05d%010d:%04d:" % (random.randrange(65536), counter[0], counter[1]) + message
    stream = zlib.compress(_hex(rest) + rest, 9)
    marks = 1
    while (marks + len(stream)) % 8:
        marks += 1
    clear = b"!" * marks + stream
    if cipher == "blowfish":
        return prefix + b":" + Blowfish.new(secret, Blowfish.MODE_CBC, BLOWFISH_IV).encrypt(clear)
    vector = os.urandom(16)
    missing = 16 - len(clear) % 16
    return prefix + b"#AES:" + vector + AES.new(secret[:32], AES.MODE_CBC, vector).encrypt(clear + bytes([missing]) * missing)


def unseal(secret, datagram):
    """(cipher, counter, message) of a datagram without id prefix."""
    if datagram[:5] == b"#AES:":
        cipher, vector, sealed = "aes", datagram[5:21], datagram[21:]
        if len(vector) < 16 or not sealed or len(sealed) % 16:
            raise Refused("length")
        clear = AES.new(secret[:32], AES.MODE_CBC, vector).decrypt(sealed)
        if not 0 < clear[-1] <= 16 or set(clear[-clear[-1]:]) != {clear[-1]}:
            raise Refused("padding")
        clear = clear[:-clear[-1]]
    elif datagram[:1] == b":":
        cipher, sealed = "blowfish", datagram[1:]
        if not sealed or len(sealed) % 8:
            raise Refused("length")
        clear = Blowfish.new(secret, Blowfish.MODE_CBC, BLOWFISH_IV).decrypt(sealed)
    else:
        raise Refused("prefix")
    if clear[:1] != b"!":
        raise Refused("key")
    try:
        block = zlib.decompressobj().decompress(clear.lstrip(b"!"), 6144)
    except zlib.error as problem:
        raise Refused("stream") from problem
    if len(block) < 54:
        raise Refused("short")
    if _hex(block[32:]) != block[:32]:
        raise Refused("checksum")
    return cipher, (int(block[37:47]), int(block[48:52])), block[53:]
