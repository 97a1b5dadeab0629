"use strict";
/* Ask a security key what the page says, and put its answer into the form (WebAuthn level 2). */
(() => {
  const read = (text) => Uint8Array.from(
    atob(text.replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0));
  const written = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

  const asked = (publicKey) => {
    const options = { ...publicKey, challenge: read(publicKey.challenge) };
    if (options.user) options.user = { ...options.user, id: read(options.user.id) };
    for (const name of ["allowCredentials", "excludeCredentials"]) {
      if (options[name]) options[name] = options[name].map((one) => ({ ...one, id: read(one.id) }));
    }
    return options;
  };

  const answered = (credential) => {
    const response = {};
    for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (credential.response[name]) response[name] = written(credential.response[name]);
    }
    return {
      id: credential.id, rawId: written(credential.rawId), type: credential.type, response,
      clientExtensionResults: credential.getClientExtensionResults(),
    };
  };

  const answerTo = async (kind, options) => {
    const publicKey = asked(options.publicKey || options);
    return answered(await navigator.credentials[kind]({ publicKey }));
  };

  const posted = async (form, url, body) => {
    const answer = await fetch(url, {
      method: "POST", credentials: "same-origin", body: JSON.stringify(body),
      headers: {
        "Content-Type": "application/json",
        "Idempotency-Key": crypto.randomUUID(),
        "X-CSRFToken": form.querySelector("[name=csrfmiddlewaretoken]").value,
      },
    });
    const read = await answer.json();
    if (!answer.ok) throw new Error(read.detail || read.title);
    return read;
  };

  /* Sign a record: the question covers its digest, and the answer becomes a code used once. */
  const sign = async (button, form) => {
    const chosen = form.querySelector("[data-security-key-meaning]");
    const question = await posted(form, button.dataset.ask, {
      record: button.dataset.record, record_id: button.dataset.recordId, meaning: chosen.value,
    });
    const answer = await answerTo("get", question.options);
    const confirmed = await posted(form, button.dataset.confirm, { question: question.question, answer });
    form.querySelector("[name=password]").value = confirmed.code;
    return "The key has answered. Send the form within two minutes.";
  };

  for (const button of document.querySelectorAll("[data-security-key]")) {
    button.addEventListener("click", async () => {
      const form = button.closest("form");
      const says = form.querySelector("[data-security-key-says]");
      const kind = button.dataset.securityKey;
      says.textContent = "Touch the security key.";
      try {
        if (kind === "sign") {
          says.textContent = await sign(button, form);
          return;
        }
        if (kind === "create" && !form.reportValidity()) return;
        const answer = await answerTo(kind, JSON.parse(button.dataset.options));
        form.querySelector("[name=answer]").value = JSON.stringify(answer);
        form.submit();
      } catch (error) {
        says.textContent = `The security key did not answer: ${error.message}`;
      }
    });
  }
})();
