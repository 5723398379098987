"""imagegate's own operations API over HTTP."""
