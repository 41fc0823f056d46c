// What the console's pages do beyond plain forms. Every page works without it.
"use strict";

function enliven(root) {
  // A button that copies what it stands beside.
  for (const button of root.querySelectorAll("[data-copy], [data-copy-of]")) {
    if (!navigator.clipboard) continue;
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copy ?? document.getElementById(button.dataset.copyOf).textContent);
      const before = button.innerHTML;
      button.textContent = "Copied";
      setTimeout(() => { button.innerHTML = before; }, 2000);
    });
  }
  // A button that keeps a text in a file; nothing goes to the server.
  for (const button of root.querySelectorAll("[data-download]")) {
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
  for (const all of root.querySelectorAll("[data-tick-all]")) {
    all.closest("label").hidden = false;
    all.addEventListener("change", () => {
      for (const box of document.querySelectorAll(`input[type=checkbox][name="${all.dataset.tickAll}"]`)) box.checked = all.checked;
    });
  }
}

enliven(document);
document.addEventListener("htmx:afterSwap", (event) => enliven(event.detail.target.parentNode || document));
