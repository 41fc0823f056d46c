// What the console's pages do beyond plain forms. Every page works without it.
"use strict";

// What waits for scripts is hidden until it has its listener.
function enliven() {
  // A button that copies what it stands beside.
  for (const button of document.querySelectorAll("[data-copy][hidden], [data-copy-of][hidden]")) {
    if (!navigator.clipboard) continue;
    const label = button.innerHTML;
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copy ?? document.getElementById(button.dataset.copyOf).textContent);
      button.textContent = "Copied";
      setTimeout(() => { button.innerHTML = label; }, 2000);
    });
  }
  // A button that keeps a text in a file; nothing goes to the server.
  for (const button of document.querySelectorAll("[data-download][hidden]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([button.dataset.download + "\n"], { type: "text/plain" }));
      link.download = button.dataset.file;
      link.click();
      URL.revokeObjectURL(link.href);
    });
  }
  // One box that ticks all of its table.
  for (const all of document.querySelectorAll("[hidden] > [data-tick-all]")) {
    all.closest("label").hidden = false;
    all.addEventListener("change", () => {
      for (const box of document.querySelectorAll(`input[type=checkbox][name="${all.dataset.tickAll}"]`)) box.checked = all.checked;
    });
  }
}

enliven();
document.addEventListener("htmx:afterSwap", enliven);

// A form that is on its way is not sent again by a second click: a secret is made
// once. It can be after a while, for what stays on its page, as a download.
const sent = new WeakSet();
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || !form.matches("[method=post]")) return;
  if (sent.has(form)) {
    event.preventDefault();
    return;
  }
  sent.add(form);
  setTimeout(() => sent.delete(form), 3000);
});
