"""``python -m ltv.core``: values a purchase log from the command line. The only part that reads and writes files."""
