"""One file per upstream protocol. ADDING.md says how to add one."""
