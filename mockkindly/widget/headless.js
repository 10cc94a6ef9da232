// The headless build has nothing to see. Its element is there only so that a
// page can unmount the client by removing it, as it does with the full build.

function createView() {
  const element = document.createElement("div");
  element.id = "kindly-chat-api";
  element.hidden = true;
  const nothing = () => {};
  return { element, open: nothing, close: nothing, showBubble: nothing, hideBubble: nothing, stop: nothing };
}
