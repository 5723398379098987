"""What a caller asks for, what upstreams can do, and the routes between them."""
