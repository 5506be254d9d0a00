"""YouTube's live chat, within the day's quota."""
