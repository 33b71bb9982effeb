"use strict";
// The form works without this. With it a chosen, dropped or pasted photo is asked about at once, the answer comes
// without a new page, and the photo under the frames is the one the browser has already.
const form = document.getElementById("ask");
const photo = document.getElementById("photo");
const wait = document.getElementById("wait");
const place = document.getElementById("place");
const button = form.querySelector("button");
let picture = null;
let running = null;

function note(sentence) {
  const section = document.createElement("section");
  section.id = "answer";
  section.tabIndex = -1;
  const line = document.createElement("p");
  line.className = "note fault";
  line.setAttribute("role", "alert");
  line.textContent = sentence;
  section.append(line);
  place.replaceChildren(section);
}

function show(html, file) {
  const parsed = new DOMParser().parseFromString(html, "text/html");
  place.replaceChildren(...parsed.body.childNodes);
  const shown = document.getElementById("shown");
  if (picture) URL.revokeObjectURL(picture);
  picture = shown ? URL.createObjectURL(file) : null;
  if (shown) shown.src = picture;
  const answer = document.getElementById("answer");
  if (!answer) return;
  answer.focus({ preventScroll: true });
  answer.scrollIntoView({ block: "start", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
}

async function ask() {
  const file = photo.files[0];
  if (!file) return;
  if (file.size > Number(form.dataset.max)) return note(form.dataset.tooLarge);
  if (running) running.abort();
  const mine = running = new AbortController();
  wait.hidden = false;
  button.disabled = true;
  try {
    const response = await fetch("/", { method: "POST", body: new FormData(form), headers: { "X-Part": "1" }, signal: mine.signal });
    const type = response.headers.get("Content-Type") || "";
    if (type.startsWith("text/html")) show(await response.text(), file);
    else note(form.dataset.unreachable);
  } catch (error) {
    if (error.name !== "AbortError") note(form.dataset.unreachable);
  } finally {
    if (running === mine) {
      wait.hidden = true;
      button.disabled = false;
    }
  }
}

function take(files) {
  if (!files.length) return;
  photo.files = files;
  submit();
}

function submit() {
  if (form.reportValidity()) ask();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  ask();
});
photo.addEventListener("change", () => { if (photo.files.length) submit(); });
addEventListener("dragover", (event) => {
  event.preventDefault();
  photo.classList.add("over");
});
addEventListener("dragleave", () => photo.classList.remove("over"));
addEventListener("drop", (event) => {
  event.preventDefault();
  photo.classList.remove("over");
  take(event.dataTransfer.files);
});
addEventListener("paste", (event) => take(event.clipboardData.files));
