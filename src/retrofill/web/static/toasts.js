// Words in a corner, for what is done without a new page; read aloud politely.
const SECONDS = 6;

export function toast(text) {
  const line = Object.assign(document.createElement("div"), { className: "toast", textContent: text });
  document.getElementById("toasts")?.append(line);
  setTimeout(() => line.remove(), SECONDS * 1000);
}
