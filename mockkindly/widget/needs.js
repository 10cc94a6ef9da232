// What the real client was seen to load beside its script and its API: asked for
// here, so that the page's policy is judged for it. Nothing of it is used, and
// nothing of it should leave this machine: whoever runs a page answers for these
// hosts in Kindly's place.

// probeNeed asks for one thing as the client would.
function probeNeed({ kind, url }) {
  const address = url + "/kindlytest-probe";
  const within = (name, attributes) => {
    const element = Object.assign(document.createElement(name), attributes);
    for (const event of ["load", "error"]) element.addEventListener(event, () => element.remove());
    element.hidden = true;
    document.documentElement.append(element);
  };
  const ways = {
    connect: () => /^wss?:/.test(url)
      ? new WebSocket(address).addEventListener("open", (event) => event.target.close())
      : fetch(address, { mode: "no-cors", credentials: "omit" }).catch(() => {}),
    script: () => within("script", { src: address, async: true }),
    style: () => within("link", { rel: "stylesheet", href: address }),
    frame: () => within("iframe", { src: address }),
    media: () => within("video", { src: address }),
    font: () => new FontFace("kindlytest-probe", `url("${address}")`).load().catch(() => {}),
    image: () => within("img", { src: address }),
  };
  ways[kind]?.();
}

function probeNeeds() {
  for (const need of MANNER.needs ?? []) {
    try {
      probeNeed(need);
    } catch {
      // a policy may throw: the browser tells of it
    }
  }
}
