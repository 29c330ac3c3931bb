"""What leaves one database and enters another: lines of JSON, and where they are kept while they are checked."""
