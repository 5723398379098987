"""imagegate's own operations API."""
