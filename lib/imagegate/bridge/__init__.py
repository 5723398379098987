"""A gRPC front on loopback for clients that speak nothing else; it needs the extra `imagegate[bridge]`."""
