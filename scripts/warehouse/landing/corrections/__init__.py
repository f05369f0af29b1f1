"""What was landed and is not so: withdrawals and renames, as revisions."""
