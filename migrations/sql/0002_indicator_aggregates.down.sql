drop schema indicators cascade;
