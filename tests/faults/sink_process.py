"""A mail server in a process of its own with an append-only record of what it took: the oracle of the fault tests.

Written by hand instead of with aiosmtpd so that it costs little beside what is being tested. Each accepted mail is
one line, "<unix time> <recipient> <Message-ID>", written and flushed before the 250 leaves.

    python -m tests.faults.sink_process RECORD PORT_FILE
"""

import asyncio
import re
import sys
import time
from pathlib import Path

_MESSAGE_ID = re.compile(rb"^Message-ID:\s*(\S+)", re.MULTILINE | re.IGNORECASE)


class Sink:
    def __init__(self, record: Path) -> None:
        self._record = record.open("ab", buffering=0)

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(b"220 sink\r\n")
            recipient = b""
            while line := await reader.readline():
                verb = line[:4].upper()
                if verb == b"RCPT":
                    recipient = line.partition(b"<")[2].partition(b">")[0]
                if verb == b"DATA":
                    writer.write(b"354 go on\r\n")
                    await writer.drain()
                    self._take(recipient, await reader.readuntil(b"\r\n.\r\n"))
                writer.write(b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n")
                await writer.drain()
                if verb == b"QUIT":
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the worker was killed: what had no final dot was not taken
        finally:
            writer.close()

    def _take(self, recipient: bytes, data: bytes) -> None:
        found = _MESSAGE_ID.search(data)
        message_id = found[1] if found else b"-"
        self._record.write(b"%.3f %s %s\n" % (time.time(), recipient, message_id))


async def serve(record: Path, port_file: Path) -> None:
    server = await asyncio.start_server(Sink(record).converse, "127.0.0.1", 0, limit=2**22)
    half = port_file.with_suffix(".new")
    half.write_text(str(server.sockets[0].getsockname()[1]))
    half.rename(port_file)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), Path(sys.argv[2])))
