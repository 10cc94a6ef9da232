// What the mock advises is not said: whatever the console holds is the page's.

function advise() {}
