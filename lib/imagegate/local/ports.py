"""TCP ports on 127.0.0.1: taking a given one, and finding one that is free."""

import errno
import socket

HOST = "127.0.0.1"
"""The only address anything local listens on."""


class PortTaken(Exception):
    """Another process listens on the port."""

    def __init__(self, port: int) -> None:
        super().__init__(f"port {port} is taken")
        self.port = port


def listen(port: int) -> socket.socket:
    """Return a socket that listens on `port`; 0 stands for any free one.

    Raises:
        PortTaken: another process has it.
        PermissionError: ports below 1024 are not for every user.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    # Accepted connections inherit it; asyncio sets it itself only where a socket names its protocol.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen()
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise PortTaken(port) from None
        raise
    return listener


def listen_on_first_free(*candidates: int) -> socket.socket:
    """Return a socket that listens on the first of `candidates` that is free, or else on any free port."""
    for port in (*candidates, 0):
        try:
            return listen(port)
        except PortTaken:
            continue
    raise AssertionError("port 0 is never taken")


def port_of(listener: socket.socket) -> int:
    """Return the port that a socket is bound to."""
    port: int = listener.getsockname()[1]
    return port


def first_free(*candidates: int) -> int:
    """Return the first of `candidates` that is free, or else any free port. Another program may take it meanwhile."""
    with listen_on_first_free(*candidates) as listener:
        return port_of(listener)
