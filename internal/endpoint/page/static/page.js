// What pages do beyond plain forms. Every page works without this file, save
// passkeys, which are offered by it only.
"use strict";

const fromBase64 = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));

const toBase64 = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

const decoded = (list) => (list || []).map((c) => ({ ...c, id: fromBase64(c.id) }));

// credential has the authenticator make (kind "create") or use (kind "get") a
// passkey, and gives what it says as JSON (WebAuthn Level 3, section 5.1).
async function credential(kind, options) {
  options.challenge = fromBase64(options.challenge);
  if (kind === "create") {
    options.user.id = fromBase64(options.user.id);
    options.excludeCredentials = decoded(options.excludeCredentials);
  } else {
    options.allowCredentials = decoded(options.allowCredentials);
  }
  const made = await navigator.credentials[kind]({ publicKey: options });
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (made.response[name]) response[name] = toBase64(made.response[name]);
  }
  if (made.response.getTransports) response.transports = made.response.getTransports();
  return JSON.stringify({
    id: made.id,
    rawId: toBase64(made.rawId),
    type: made.type,
    authenticatorAttachment: made.authenticatorAttachment || undefined,
    clientExtensionResults: made.getClientExtensionResults(),
    response,
  });
}

// A passkey form asks for its options where data-options says, and is sent with
// what the authenticator answered.
for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (!window.PublicKeyCredential) continue;
  for (const part of document.querySelectorAll("[data-with-passkeys]")) part.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const failed = document.getElementById(form.getAttribute("aria-describedby"));
    failed.hidden = true;
    try {
      const answer = await fetch(form.dataset.options, { method: "POST", body: new URLSearchParams(new FormData(form)) });
      if (!answer.ok) throw new Error("refused");
      const { publicKey } = await answer.json();
      form.elements.credential.value = await credential(form.dataset.passkey, publicKey);
      form.submit();
    } catch {
      failed.hidden = false;
    }
  });
}

// What goes on by itself: form_post, and links to applications.
for (const form of document.querySelectorAll("form[data-at-once]")) form.submit();
for (const link of document.querySelectorAll("a[data-at-once]")) window.location.replace(link.href);
