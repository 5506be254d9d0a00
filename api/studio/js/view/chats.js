/** The quiet line about a chat that is not heard: which one, and what to do. */

import { arrange, el, say } from "/overlay/js/dom.js";

/** Show `chats` of GET /health in the list `#chats`; there is none while all of them are heard. */
export function showChats(chats) {
  const list = document.getElementById("chats");
  const deaf = (chats ?? []).filter(({ message }) => message);
  list.hidden = !deaf.length;
  arrange(list, deaf, {
    key: ({ platform }) => platform,
    make: () => el("li", {}, el("span"), el("bdi")),
    update(line, { message, detail }) {
      const [says, why] = line.children;
      say(says, message);
      say(why, detail ? ` ${detail}` : "");
    },
  });
}
