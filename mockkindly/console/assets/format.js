// How values read: times, durations, sizes, names.

const two = (n) => String(n).padStart(2, "0");

// clockTime is 10:15:02.123 in the reader's time zone. (Intl is too slow for
// thousands of rows.)
export function clockTime(ms) {
  const d = new Date(ms);
  return Number.isNaN(ms) ? "" : `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}.${String(d.getMilliseconds()).padStart(3, "0")}`;
}

const full = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

export function dateTime(ms) {
  return Number.isFinite(ms) ? full.format(ms) : "unknown";
}

export function duration(ms) {
  if (!Number.isFinite(ms)) return "";
  return ms < 1000 ? ms + " ms" : ms < 60_000 ? (ms / 1000).toFixed(2) + " s" : countdown(ms);
}

// countdown is 4:05, or 1:04:05.
export function countdown(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  const h = Math.floor(s / 3600);
  return (h ? h + ":" + two(Math.floor(s / 60) % 60) : Math.floor(s / 60)) + ":" + two(s % 60);
}

// ago is short, for lists.
export function ago(ms, now) {
  const s = Math.max(0, Math.round((now - ms) / 1000));
  if (s < 60) return "now";
  if (s < 3600) return Math.floor(s / 60) + " min";
  return s < 86_400 ? Math.floor(s / 3600) + " h" : Math.floor(s / 86_400) + " d";
}

export function bytes(n) {
  return n < 1024 ? n + " B" : n < 1 << 20 ? (n / 1024).toFixed(1) + " KB" : (n / (1 << 20)).toFixed(1) + " MB";
}

export const utf8Length = (s) => new TextEncoder().encode(s).length;

export const count = (n, one, many = one + "s") => n.toLocaleString("en") + " " + (n === 1 ? one : many);

export function clip(s, n) {
  return s.length <= n ? s : s.slice(0, n) + "…";
}

// decodeToken reads header and payload of a token as the mock shows it, without
// its signature. Null where they are no JSON objects.
export function decodeToken(shown) {
  const [header, payload] = String(shown ?? "").split(".").map(part);
  return header && payload ? { header, payload } : null;
}

function part(text) {
  try {
    const raw = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    const value = JSON.parse(new TextDecoder().decode(Uint8Array.from(raw, (c) => c.charCodeAt(0))));
    return value && typeof value === "object" && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}
