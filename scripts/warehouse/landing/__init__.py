"""Landing: files and frames of vendors into the append-only landing zone."""
