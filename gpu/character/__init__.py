"""Characters: LoRAs that are looked at before the show, and brought into the studio."""
