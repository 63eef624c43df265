"""Journal segments read and written by Python, from docs/formats/journal.md: what a forger has who knows the format and can compute a CRC."""
import hashlib
import struct

BLOCK = struct.Struct("<4sIQIIIIQqIHHQ32s")  # the 96 bytes of a block's header
RECORDS, SEAL = 1, 2
PAGE = 4096


def crc_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


TABLE = crc_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def padded(size):
    return -(-size // 64) * 64


def records_of(payload):
    """The framed records of a block."""
    at, records = 0, []
    while at < len(payload):
        length, = struct.unpack_from("<I", payload, at)
        records.append(payload[at:at + 8 + length])
        at += 8 + length
    return records


def read_blocks(path):
    """The blocks of a segment: (time, framed records), a seal having none; and where each begins."""
    data = path.read_bytes()
    blocks, offsets, at = [], [], PAGE
    while data[at:at + 4] == b"HLK1":
        header = BLOCK.unpack_from(data, at)
        size = header[5]
        blocks.append((header[8], records_of(data[at + BLOCK.size:at + BLOCK.size + size])))
        offsets.append(at)
        at += padded(BLOCK.size + size)
    return blocks, offsets


def write_blocks(path, blocks):
    """The first segment of a journal with these blocks, each checksum and the whole chain right."""
    data = bytearray(path.read_bytes())
    identity, number = bytes(data[16:32]), struct.unpack_from("<I", data, 32)[0]
    assert number == 1
    chain = hashlib.sha256(b"halocline journal" + struct.pack("<I", 1) + identity).digest()
    data[PAGE:] = bytes(len(data) - PAGE)
    at, seq, time = PAGE, 1, 0

    def put(kind, payload, count):
        nonlocal at, chain
        middle = struct.pack("<8sIIIIQqIHHQ", identity[:8], number, at, len(payload), count, seq, time, at, kind, 0, 0)
        if kind == RECORDS:
            chain = hashlib.sha256(chain + middle + payload).digest()
        checked = middle + chain + payload
        checked += bytes(padded(8 + len(checked)) - 8 - len(checked))
        data[at:at + 8 + len(checked)] = b"HLK1" + struct.pack("<I", crc32c(checked)) + checked
        at += 8 + len(checked)

    for time, records in blocks:
        put(RECORDS if records else SEAL, b"".join(records), len(records))
        seq += len(records)
    path.write_bytes(data)
