"""What a wild chat says: spam, emotes, zalgo, torn quotes, lines of 500 characters, other bots' commands."""

WILD = (
    "POGGERS " * 60,
    "!so mika",
    "!animelist",
    "!commands add !anime no",
    "z\u0336\u0341\u0302\u0305a\u0337\u0301l\u0338go " * 20,
    '!anime "torn',
    "!anime \u201c\u201d\u201e\u201f",
    "!anime " + "x" * 490,
    "\u202e!anime turned",
    "!anime+ rain", "!remix #1", "!remix", "!credit",
    "!vote", "!vote 2", "!vote #41", "!cancel", "!remove #9999999999", "!queue", "!pos", "!help", "!style", "!again",
    "!ban @mika", "!clear", "!skip", "\U0001f469\u200d\U0001f469\u200d\U0001f467" * 100, "!", " ", "@mika !anime no",
)  # fmt: skip
