// Markdown as agents write it, made into elements one by one: text never becomes HTML, so nothing in it can run. Images become links.

const inline = /(`+)([^`]|[^`][\s\S]*?[^`])\1(?!`)|\*\*\*(?=\S)([^*]*\S)\*\*\*|\*\*(?=\S)([\s\S]*?\S)\*\*|__(?=\S)([\s\S]*?\S)__|(?<![*\w])\*(?=[^\s*])([^*]*[^\s*])\*(?!\*)|(?<![_\w])_(?=[^\s_])([^_]*[^\s_])_(?![_\w])|~~(?=\S)([^~]*\S)~~|!?\[([^\]\n]*)\]\(<?([^\s)>]+)>?(?:\s+"[^"]*")?\)|(https?:\/\/[^\s<>"')\]]*[^\s<>"')\].,;:!?])/g;

/** The elements of a text, in a fragment. */
export function render(text) {
  const target = document.createDocumentFragment();
  blocks(text.replace(/\r\n?/g, "\n").split("\n"), target, 0);
  return target;
}

function blocks(lines, target, depth) {
  for (let i = 0; i < lines.length;) {
    const line = lines[i];
    const fence = /^\s*(`{3,}|~{3,})/.exec(line);
    if (line.trim() === "") i++;
    else if (fence) i = code(lines, i, fence[1], target);
    else if (/^#{1,6}\s/.test(line)) {
      const [, marks, title] = /^(#+)\s+(.*?)\s*#*$/.exec(line) ?? [, "#", line];
      add(target, `h${Math.min(marks.length + 1, 4)}`, title);
      i++;
    } else if (/^\s*([-*_])(\s*\1){2,}\s*$/.test(line)) {
      target.append(document.createElement("hr"));
      i++;
    } else if (/^\s*>/.test(line) && depth < 5) i = quote(lines, i, target, depth);
    else if (marker(line) && depth < 5) i = list(lines, i, target, depth);
    else if (line.includes("|") && /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/.test(lines[i + 1] ?? "") && (lines[i + 1] ?? "").includes("|")) i = table(lines, i, target);
    else i = paragraph(lines, i, target, depth);
  }
}

function code(lines, i, fence, target) {
  const from = ++i;
  while (i < lines.length && !(lines[i].trim().startsWith(fence) && /^\s*[`~]+\s*$/.test(lines[i]))) i++;
  const pre = document.createElement("pre"), inner = document.createElement("code");
  pre.tabIndex = 0;
  inner.textContent = lines.slice(from, i).join("\n");
  pre.append(inner);
  target.append(pre);
  return i + 1;
}

function quote(lines, i, target, depth) {
  const inner = [];
  for (; i < lines.length && /^\s*>/.test(lines[i]); i++) inner.push(lines[i].replace(/^\s*>\s?/, ""));
  const box = document.createElement("blockquote");
  blocks(inner, box, depth + 1);
  target.append(box);
  return i;
}

const marker = line => /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/.exec(line);

function list(lines, i, target, depth) {
  const first = marker(lines[i]), ordered = /\d/.test(first[2]);
  const box = document.createElement(ordered ? "ol" : "ul");
  if (ordered) box.start = parseInt(first[2], 10);
  while (i < lines.length) {
    const item = marker(lines[i]);
    if (!item || item[1].length > first[1].length + 1 || /\d/.test(item[2]) !== ordered) break;
    const inner = [item[3]], indent = item[1].length + item[2].length;
    for (i++; i < lines.length; i++) {
      const blank = lines[i].trim() === "";
      if (blank && !/^\s{2,}\S/.test(lines[i + 1] ?? "")) break;
      if (!blank && lines[i].search(/\S/) <= item[1].length && (marker(lines[i]) || startsBlock(lines[i]))) break;
      inner.push(lines[i].slice(Math.min(Math.max(lines[i].search(/\S/), 0), indent + 1)));
    }
    while (lines[i]?.trim() === "" && marker(lines[i + 1] ?? "")) i++;
    const entry = document.createElement("li");
    blocks(inner, entry, depth + 1);
    // A list of short points reads better without paragraphs.
    if (entry.firstChild?.nodeName === "P") entry.firstChild.replaceWith(...entry.firstChild.childNodes);
    box.append(entry);
  }
  target.append(box);
  return i;
}

function table(lines, i, target) {
  const cells = line => line.trim().replace(/^\||\|$/g, "").split("|").map(cell => cell.trim());
  const box = document.createElement("div"), grid = document.createElement("table"), head = grid.createTHead().insertRow(), body = grid.createTBody();
  for (const cell of cells(lines[i])) add(head, "th", cell);
  for (i += 2; i < lines.length && lines[i].includes("|"); i++) {
    const row = body.insertRow();
    for (const cell of cells(lines[i])) add(row, "td", cell);
  }
  box.className = "table";
  box.tabIndex = 0;
  box.append(grid);
  target.append(box);
  return i;
}

const startsBlock = line => /^\s*(`{3,}|~{3,}|>|#{1,6}\s)/.test(line);

function paragraph(lines, i, target, depth) {
  const from = i++;
  while (i < lines.length && lines[i].trim() !== "" && !startsBlock(lines[i]) && !(marker(lines[i]) && depth < 5)) i++;
  add(target, "p", lines.slice(from, i).join("\n").trim());
  return i;
}

function add(target, name, text) {
  const element = document.createElement(name);
  spans(text, element);
  target.append(element);
}

function spans(text, target, depth = 0) {
  let at = 0;
  if (depth < 5) {
    for (const found of text.matchAll(inline)) {
      plain(text.slice(at, found.index), target);
      at = found.index + found[0].length;
      const [whole, , code, both, bold, strong, emphasis, italic, struck, label, address, bare] = found;
      if (code !== undefined) target.append(element("code", code.trim()));
      else if (both) nested("strong", `*${both}*`);
      else if (bold ?? strong) nested("strong", bold ?? strong);
      else if (emphasis ?? italic) nested("em", emphasis ?? italic);
      else if (struck) nested("del", struck);
      else link(address ?? bare, label || address || bare, whole);
    }
  }
  plain(text.slice(at), target);

  function nested(name, inner) {
    const box = document.createElement(name);
    spans(inner, box, depth + 1);
    target.append(box);
  }

  function link(address, label, whole) {
    if (!/^(https?:\/\/|mailto:)/i.test(address)) return plain(whole, target);
    const anchor = element("a", label);
    anchor.href = address;
    anchor.target = "_blank";
    anchor.rel = "noopener noreferrer nofollow";
    target.append(anchor);
  }
}

function plain(text, target) {
  text.split("\n").forEach((line, i) => {
    if (i > 0) target.append(document.createElement("br"));
    if (line) target.append(line);
  });
}

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}
