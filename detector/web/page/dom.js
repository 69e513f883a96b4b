// What every part of the page needs: elements, their text, and answers of the program.
export const NO_ANSWER = "The program did not answer: is it still running?";

export const $ = (id) => document.getElementById(id);

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
export function showText(element, text) {
  element.hidden = !text;
  setText(element, text || "");
}
export function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}
export function makeButton(text, onClick, className) {
  const button = make("button", className, text);
  button.type = "button";
  button.addEventListener("click", onClick);
  return button;
}
export function percent(value) { return `${Math.round(100 * value)} %`; }

// The sentence of a refusal.
export async function explain(answer) {
  try {
    return (await answer.json()).detail;
  } catch {
    return `The program answered ${answer.status}.`;
  }
}
// Returns the reason why a command was refused; empty where it was accepted.
export async function sendCommand(command) {
  try {
    const answer = await fetch("/commands", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(command),
    });
    return answer.ok ? "" : await explain(answer);
  } catch {
    return NO_ANSWER;
  }
}
export function clockTime(date) {
  return date.toLocaleTimeString("en-GB", { hour12: false });
}
