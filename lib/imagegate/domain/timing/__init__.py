"""When: latencies, polling schedules, circuit breaking, failover, long polling."""
