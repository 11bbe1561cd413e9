"""Makes protocol-v2-vectors.txt from docs/protocol-v2.md alone, with python3-cryptography; shares no code with the product.

Usage: python3 protocol_v2_vectors.py > protocol-v2-vectors.txt
"""
import hashlib
import hmac
import struct

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305


def extract(salt, key):
    return hmac.new(salt, key, hashlib.sha256).digest()


def expand(prk, info, length):
    out, block, counter = b"", b"", 1
    while len(out) < length:
        block = hmac.new(prk, block + info + bytes([counter]), hashlib.sha256).digest()
        out += block
        counter += 1
    return out[:length]


def hkdf(salt, key, info, length=32):
    return expand(extract(salt, key), info, length)


def header(kind, connection, number):
    return struct.pack(">BBBBIQ", 0xF2, 2, kind, 0, connection, number)


def public(private):
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


AGENT_ID, NAME, KEY = b"001", b"web01", b"0123456789abcdef" * 4
agent_private, manager_private = bytes(range(32)), bytes(range(100, 132))
agent_connection, manager_connection, counter = 0x11223344, 0x55667788, 1795000000000000
spool, manager, reset = bytes([7] * 16), bytes([8] * 16), bytes([9] * 16)

psk = hkdf(b"OSPatrol v2 psk", KEY, AGENT_ID + b"\0" + NAME)

hello_content = (struct.pack(">QBBH", 1795000000000, 3, 1, 8900) + spool +
                 struct.pack(">QQ", 10, 20) + b"OSPatrol v1")
agent_public = public(agent_private)
clear = (header(1, 0, counter) + AGENT_ID.ljust(8, b"\0") + struct.pack(">I", agent_connection) +
         agent_public + struct.pack(">H", len(hello_content) + 16))
assert len(clear) == 62
sealed = ChaCha20Poly1305(hkdf(agent_public, psk, b"hello")).encrypt(bytes(12), hello_content, clear)
hello = (clear + sealed).ljust(512, b"\0")

welcome_content = (struct.pack(">QBBHHB", counter, 0, 1, 8900, 600, 1) + manager +
                   struct.pack(">QQ", 15, 17) + reset)
welcome_clear = (header(2, agent_connection, counter) + struct.pack(">I", manager_connection) +
                 public(manager_private) + struct.pack(">H", len(welcome_content) + 16))
assert len(welcome_clear) == 54
shared = X25519PrivateKey.from_private_bytes(agent_private).exchange(
    X25519PrivateKey.from_private_bytes(manager_private).public_key())
prk = extract(psk, shared)
h1 = hashlib.sha256(clear + sealed + welcome_clear).digest()
welcome_sealed = ChaCha20Poly1305(expand(prk, b"welcome" + h1, 32)).encrypt(
    bytes(12), welcome_content, welcome_clear)
h2 = hashlib.sha256(h1 + welcome_sealed).digest()
keys = expand(prk, b"session" + h2, 88)
agent_key, agent_iv, manager_key, manager_iv = keys[:32], keys[32:44], keys[44:76], keys[76:]

# The agent's first packet: a PING, as packet 0.
data_header = header(4, manager_connection, 0)
frames = struct.pack(">BH", 9, 8) + b"pingpong"
data = data_header + AESGCM(agent_key).encrypt(agent_iv, frames, data_header)

salt = bytes(range(200, 232))
stale_clear = header(7, agent_connection, counter) + salt
stale = stale_clear + ChaCha20Poly1305(hkdf(agent_public + salt, psk, b"stale")).encrypt(
    bytes(12), struct.pack(">Q", counter + 5), stale_clear)

secret = bytes(range(50, 82))
token = hmac.new(secret, struct.pack(">I", manager_connection), hashlib.sha256).digest()[:16]

for name, value in [("psk", psk), ("agent_private", agent_private), ("manager_private", manager_private),
                    ("hello", hello), ("welcome", welcome_clear + welcome_sealed), ("data", data),
                    ("stale_salt", salt), ("stale", stale), ("reset_secret", secret), ("reset_token", token)]:
    print(name, value.hex())
