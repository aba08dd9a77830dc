"""States of the Archive and Model screens: imports, statistics, duplicates, checks, models and teaching."""
