"""Twitch: logins, EventSub, channel points."""
