"""The prop-trading domain: its schema on SQLite, pulling from applications, forgetting users."""
