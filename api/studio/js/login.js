/** The login page: spends the link's code, once somebody really looks at the page. */

const says = document.getElementById("says");

/** A browser that draws pages ahead of time must not spend the code. */
function looked() {
  if (!document.prerendering) return Promise.resolve();
  return new Promise((done) => document.addEventListener("prerenderingchange", done, { once: true }));
}

async function enter() {
  await looked();
  const code = decodeURIComponent(location.pathname.split("/").pop());
  try {
    const response = await fetch("/login", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ code }),
    });
    const answer = await response.json();
    if (response.ok) location.replace(answer.next);
    else says.textContent = answer.error.message;
  } catch {
    says.textContent = "The gateway is not answering. Load this page again in a moment: the link still works.";
  }
}

void enter();
