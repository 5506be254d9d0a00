"""What viewers see: the pages, and the stage manager that decides what is on air."""
