// The page of a published chat. It keeps the thread in the browser, streams answers, and comes back to a stream it lost by sending the same message under the same key.
import { render } from "./markdown.js";

const slug = location.pathname.replace(/\/+$/, "").split("/").pop();
const api = new URL(`../api/public/chat/${slug}`, location.href.replace(/\/+$/, "")).href;
const at = id => document.getElementById(id);
const [log, prompts, notice, composer, message, send, stop, restart, picker, attach, files, scroller] =
  ["log", "prompts", "notice", "composer", "message", "send", "stop", "restart", "picker", "attach", "files", "scroller"].map(at);
const store = { key: `flapjack-chat:${slug}`, read() { try { return JSON.parse(localStorage.getItem(this.key)) ?? {}; } catch { return {}; } }, write(value) { try { localStorage.setItem(this.key, JSON.stringify(value)); } catch { /* a browser that keeps nothing */ } } };
const failures = {
  RATE_LIMITED: "Too many messages at once. Please wait a moment.", THREAD_BUSY: "The last answer is still being written.", PAYLOAD_TOO_LARGE: "That is too large.", UNSUPPORTED_MEDIA_TYPE: "Files of this kind cannot be read.",
  CONTEXT_TOO_LONG: "This conversation has become too long. Please start a new chat.", CONTENT_FILTERED: "The answer was withheld.", TURN_TIMEOUT: "The answer took too long.", UNAUTHORIZED: "Your session has ended. Please open the chat again from where you came.",
};
const maxFiles = 10, maxBytes = 20 * 1024 * 1024, retries = [500, 1000, 2000, 4000, 8000];
let chat, thread, session, running, chosen = [];

// A private chat is opened with its session behind the '#', which never leaves the browser by itself.
function takeSession() {
  const given = new URLSearchParams(location.hash.slice(1)).get("session");
  if (given) history.replaceState(null, "", location.pathname + location.search);
  return given;
}

async function call(path, options = {}) {
  const headers = { ...options.headers };
  if (session) headers["X-Flapjack-Session"] = session;
  if (options.body) headers["Content-Type"] = "application/json";
  const response = await fetch(api + path, { ...options, headers });
  if (response.ok) return response;
  const body = await response.json().catch(() => ({}));
  throw Object.assign(new Error(body.detail ?? response.statusText), { status: response.status, code: body.error, wait: Number(response.headers.get("Retry-After")) });
}

async function begin() {
  const given = takeSession(), saved = store.read();
  session = given ?? saved.session;
  chat = await (await call("")).json();
  document.querySelector(".avatar").textContent = [...chat.title.trim()][0]?.toUpperCase() ?? "";
  attach.hidden = !chat.allow_attachments;
  if (chat.requires_session && !session) return fail("This chat is private. Please open it from the application that uses it.", true);
  thread = saved.thread;
  if (thread) await restore();
  if (!thread) welcome();
  message.focus({ preventScroll: true });
}

async function restore() {
  try {
    const { messages } = await (await call(`/threads/${thread}/messages?limit=200&order=desc`)).json();
    for (const one of messages.reverse()) {
      const turn = say(one.role === "user" ? "mine" : "theirs", one.content, one.attachments);
      if (one.stopped) note(turn, "Stopped");
    }
    restart.hidden = messages.length === 0;
    if (messages.length === 0) welcome();
    if (store.read().pending) await answer(store.read().pending, null);
  } catch (fault) {
    if (![401, 404].includes(fault.status)) throw fault;
    forget();
    if (fault.status === 401 && chat.requires_session) fail(failures.UNAUTHORIZED, true);
  }
}

function forget() {
  thread = undefined;
  if (!chat.requires_session) session = undefined;
  store.write({ session });
}

function welcome() {
  if (chat.welcome_message) say("theirs", chat.welcome_message);
  prompts.replaceChildren(...chat.suggested_prompts.map(text => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = text;
    button.addEventListener("click", () => submit(text));
    return button;
  }));
  prompts.hidden = chat.suggested_prompts.length === 0;
}

function say(who, text, attachments = []) {
  const turn = document.createElement("div"), name = document.createElement("div"), bubble = document.createElement("div");
  turn.className = `turn ${who}`;
  name.className = "who";
  name.textContent = who === "mine" ? "You" : chat.agent.name;
  bubble.className = "bubble";
  const names = attachments.map(file => `[${file.name}]`).join(" ");
  if (who === "mine") bubble.textContent = [text, names].filter(Boolean).join("\n");
  else bubble.append(render(text));
  turn.append(name, bubble);
  log.append(turn);
  scroller.scrollTop = scroller.scrollHeight;
  return turn;
}

function note(turn, text, busy = false) {
  turn.querySelector(".state")?.remove();
  if (!text) return;
  const line = document.createElement("p");
  line.className = busy ? "state dots" : "state";
  line.textContent = text;
  turn.append(line);
}

function fail(text, forGood = false) {
  notice.textContent = text;
  notice.hidden = !text;
  if (forGood) for (const control of [message, send, picker]) control.disabled = true;
  scroller.scrollTop = scroller.scrollHeight;
}

const asPeopleSay = fault => failures[fault.code] ?? (fault.status === 422 ? fault.message : "Something went wrong. Please try again.");

async function submit(text) {
  if (running || message.disabled || (!text.trim() && chosen.length === 0)) return;
  running = true;
  fail("");
  prompts.hidden = true;
  const attachments = chosen, shown = say("mine", text, attachments);
  clearComposer();
  show(true);
  try {
    if (!thread) {
      const opened = await (await call("/threads", { method: "POST", body: JSON.stringify({ title: text.trim().slice(0, 80) || attachments[0]?.name }) })).json();
      thread = opened.id;
      // Opened without a session, a thread belongs to whoever knows its id; the token would tie the next one to this browser.
      if (chat.requires_session) session = opened.sessionToken;
    }
    const pending = { key: crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`, body: JSON.stringify({ content: text || undefined, attachments: attachments.length ? attachments : undefined, onDisconnect: "continue" }) };
    // Large files are not worth a place in the browser's store; without it only a reload in the middle of an answer is lost.
    store.write({ thread, session, pending: pending.body.length < 100_000 ? pending : undefined });
    await answer(pending, shown);
  } catch (fault) {
    shown.remove();
    message.value = text;
    chosen = attachments;
    showFiles();
    grow();
    fail(asPeopleSay(fault), fault.status === 401 && chat.requires_session);
    if (fault.status === 404) forget();
  } finally {
    running = false;
    show(false);
    restart.hidden = !thread;
    message.focus({ preventScroll: true });
  }
}

// Sends a message and shows its answer. Repeated with the same key, the server streams the same answer again from its beginning.
async function answer(pending, shown) {
  const turn = say("theirs", "");
  const view = { turn, bubble: turn.querySelector(".bubble"), text: "", over: false };
  view.bubble.hidden = true;
  running = true;
  show(true);
  note(turn, "Thinking", true);
  try {
    for (let attempt = 0; !view.over; attempt++) {
      try {
        const response = await call(`/threads/${thread}/messages`, { method: "POST", body: pending.body, headers: { "Idempotency-Key": pending.key } });
        if (!shown && !log.querySelector(".mine")) say("mine", JSON.parse(pending.body).content ?? "");
        attempt = 0;
        view.text = "";
        await read(response, view);
      } catch (fault) {
        const again = fault.status === undefined || [409, 502, 503, 504].includes(fault.status) && fault.code !== "THREAD_BUSY";
        if (!again || attempt >= retries.length) throw fault;
        note(turn, "The connection was lost. Trying again", true);
      }
      if (!view.over) await new Promise(done => setTimeout(done, retries[Math.min(attempt, retries.length - 1)]));
    }
  } catch (fault) {
    turn.remove();
    if (!shown && [401, 404, 422].includes(fault.status)) return;
    throw fault;
  } finally {
    store.write({ thread, session });
    running = false;
    show(false);
  }
}

async function read(response, view) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = ""; ;) {
    const { value, done } = await reader.read();
    if (done) return;
    rest += value;
    for (let end; (end = rest.indexOf("\n\n")) >= 0; rest = rest.slice(end + 2)) {
      const block = rest.slice(0, end), type = /^event: (.*)$/m.exec(block)?.[1], data = /^data: (.*)$/m.exec(block)?.[1];
      if (type && data) happened(type, JSON.parse(data), view);
    }
  }
}

function happened(type, data, view) {
  switch (type) {
    case "token":
      view.text += data.delta;
      note(view.turn, "");
      draw(view);
      break;
    case "tool_executing":
      note(view.turn, `Using ${data.tool_name.replace(/__|_/g, " ")}`, true);
      break;
    case "auth_challenge": {
      note(view.turn, "Permission is needed: ");
      if (!/^https?:\/\//i.test(data.challenge.redirectUrl)) break;
      const link = document.createElement("a");
      Object.assign(link, { href: data.challenge.redirectUrl, target: "_blank", rel: "noopener noreferrer", textContent: data.challenge.description ?? `sign in to ${data.challenge.provider}` });
      view.turn.querySelector(".state").append(link);
      view.asks = true;
      break;
    }
    case "done":
      view.over = true;
      view.text = data.content;
      draw(view, true);
      if (data.stopped) note(view.turn, "Stopped");
      else if (!view.asks) note(view.turn, view.text ? "" : "There was nothing to say.");
      break;
    case "error":
      view.over = true;
      draw(view, true);
      note(view.turn, failures[data.code] ?? "The answer could not be finished. Please try again.");
      break;
  }
}

// At most once a frame, however fast the words come. Whoever scrolled up to read is left there.
function draw(view, now = false) {
  if (view.frame && !now) return;
  const paint = () => {
    view.frame = undefined;
    const follows = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 80;
    view.bubble.hidden = view.text === "";
    view.bubble.replaceChildren(render(view.text));
    if (follows) scroller.scrollTop = scroller.scrollHeight;
  };
  if (now) paint();
  else view.frame = requestAnimationFrame(paint);
}

function show(busy) {
  send.hidden = busy;
  stop.hidden = !busy;
  log.setAttribute("aria-busy", String(busy));
}

function clearComposer() {
  message.value = "";
  chosen = [];
  showFiles();
  grow();
}

function grow() {
  message.style.height = "auto";
  message.style.height = `${message.scrollHeight + 2}px`;
}

function showFiles() {
  files.hidden = chosen.length === 0;
  files.replaceChildren(...chosen.map(file => {
    const item = document.createElement("li"), button = document.createElement("button");
    button.type = "button";
    button.textContent = `${file.name} ×`;
    button.setAttribute("aria-label", `Remove ${file.name}`);
    button.addEventListener("click", () => { chosen = chosen.filter(other => other !== file); showFiles(); });
    item.append(button);
    return item;
  }));
}

const base64 = file => new Promise((resolve, reject) => {
  const reader = new FileReader();
  reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
  reader.onerror = () => reject(reader.error);
  reader.readAsDataURL(file);
});

picker.addEventListener("change", async () => {
  fail("");
  const picked = [...picker.files];
  picker.value = "";
  for (const file of picked) {
    if (chosen.length >= maxFiles) return fail(`A message takes ${maxFiles} files.`);
    if (file.size > maxBytes) return fail(`${file.name} is larger than 20 MB.`);
    chosen.push({ type: /^image\/(png|jpeg|webp|gif)$/.test(file.type) ? "image" : "file", name: file.name.slice(0, 200), mediaType: file.type || undefined, data: await base64(file) });
    showFiles();
  }
});
composer.addEventListener("submit", event => {
  event.preventDefault();
  submit(message.value);
});
message.addEventListener("input", grow);
message.addEventListener("keydown", event => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  submit(message.value);
});
stop.addEventListener("click", () => call(`/threads/${thread}/stop`, { method: "POST" }).catch(fault => fail(asPeopleSay(fault))));
restart.addEventListener("click", () => {
  if (running) return;
  forget();
  log.replaceChildren();
  fail("");
  restart.hidden = true;
  welcome();
  message.focus();
});

begin().catch(fault => fail(fault.status === 404 ? "This chat does not exist any more." : "The chat cannot be reached. Please reload the page.", true));
