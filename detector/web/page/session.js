// How long the visitor's session lasts, and its end; the bearer of the token has no end.
const SOON_S = 600;
const ASK_MS = 60_000;

const $ = (id) => document.getElementById(id);
const state = { endsAt: 0, hasPassword: false, timer: 0 };

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function show(leftS) {
  const when = new Date(Date.now() + 1000 * leftS).toLocaleString([], {
    weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit",
  });
  $("session-end").hidden = false;
  setText($("session-text"), `Logged in until ${when}.`);
  if (leftS > SOON_S) $("session-notice").hidden = true;
  else tell(leftS > 0 ? `You will be logged out in ${Math.ceil(leftS / 60)} min.` : "Your session has ended.");
}
function tell(words) {
  const notice = $("session-notice");
  notice.hidden = false;
  setText($("session-words"), words);
  // A password is asked for on its page; without one the address with the token leads back in.
  $("session-again").hidden = !state.hasPassword;
  setText($("session-token"), state.hasPassword ? "" : "Open the address with the token again.");
}

async function ask() {
  clearTimeout(state.timer);
  let waitMs = ASK_MS;
  try {
    const answer = await fetch("/session");
    if (answer.status === 401) tell((await answer.json()).detail);
    if (answer.ok) {
      const session = await answer.json();
      state.hasPassword = session.has_password;
      if (session.left_s !== null) {
        show(session.left_s);
        waitMs = Math.min(ASK_MS, 1000 * session.left_s + 500);
      }
    }
  } catch { /* The page itself says that the program does not answer. */ }
  state.timer = setTimeout(ask, waitMs);
}

document.addEventListener("visibilitychange", () => { if (!document.hidden) ask(); });
ask();
