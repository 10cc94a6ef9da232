import { useEffect } from "react";

// region once: Load the chat client once, in a page that renders often
export function KindlyChat({ botKey }) {
  useEffect(() => {
    if (document.getElementById("kindly-chat")) return; // it is there already
    const script = Object.assign(document.createElement("script"), {
      id: "kindly-chat",
      src: "https://chat.kindlycdn.com/kindly-chat.js",
      async: true,
    });
    script.dataset.botKey = botKey;
    document.head.append(script);
  }, [botKey]);
  return null;
}
// endregion
