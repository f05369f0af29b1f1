"""How tables are stored: what is declared compared with the catalogue, and made true."""
