"""The commands `kindred pacs ...`: addresses of PACS, and finding and retrieving studies."""
