"""The rehearsal engine's desk: words become a storyboard, a storyboard becomes cels, cels become frames."""
