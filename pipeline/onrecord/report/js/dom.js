"use strict";

// Building the page. Strings become text nodes and attributes only, never HTML.

const UNSAFE =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/g;

/** Text with control characters and marks that turn the direction of writing made visible. */
function safe(text) {
  return text.replace(/\r\n?/g, "\n").replace(UNSAFE, (char) => {
    const code = char.charCodeAt(0);
    if (code < 0x20) return String.fromCharCode(0x2400 + code);
    return `[U+${code.toString(16).toUpperCase().padStart(4, "0")}]`;
  });
}

/** A string cut to so many characters, for places that cannot wrap. */
function cut(text, length) {
  const flat = text.replace(/\s+/g, " ").trim();
  return flat.length <= length ? flat : `${flat.slice(0, length - 1).trimEnd()}…`;
}

function append(node, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    node.append(child instanceof Node ? child : document.createTextNode(safe(String(child))));
  }
  return node;
}

function setAttributes(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined) continue;
    if (value === false && !name.startsWith("aria-")) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked") node[name] = value;
    else node.setAttribute(name, value === true ? "" : safe(String(value)));
  }
  return node;
}

/** An element: attributes by name, listeners as "on" and the event, children as nodes or strings. */
function el(tag, attributes = {}, ...children) {
  return append(setAttributes(document.createElement(tag), attributes), children);
}

/** The same for a drawing. */
function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  return append(setAttributes(node, attributes), children);
}

function hidden(text) {
  return el("span", { class: "hidden" }, text);
}

/** A date, or a sign and its number: what no line may break apart. */
function whole(...children) {
  return el("span", { class: "whole" }, children);
}

/** A day as the tables have it, which may be another than the one at the place of publication. */
function utc(day) {
  return `${day} UTC`;
}

function plural(count, one, many = `${one}s`) {
  return `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
}

function percent(score) {
  if (score === null) return "–";
  return score > 0 && score < 0.005 ? "<1%" : `${Math.round(score * 100)}%`;
}

function signed(score) {
  if (score === null) return "–";
  const text = Math.abs(score).toFixed(2);
  return score < 0 && text !== "0.00" ? `−${text}` : score > 0 ? `+${text}` : text;
}
