/** What a browser may do here, and in words why it may not ask for cuts. */

const MAY_ASK = ["viewer", "bot", "moderator", "broadcaster"];

/** The sentence for the document of GET /me, empty where cuts can be asked for. */
export function whyLocked({ role }) {
  if (MAY_ASK.includes(role)) return "";
  return "To ask for cuts here, log in: run .venv/bin/python -m sakuga keys link in a terminal and open the link that it prints.";
}
