// Keeps the folder in the browser: the page works without a network, from its second opening on.
// VERSION and FILES stand in the line above, written with the folder.

const PREFIX = `maskage ${self.registration.scope} `;
const CACHE = PREFIX + VERSION;

self.addEventListener("install", (event) => {
  // The server is asked whether what the browser has is still right.
  const requests = FILES.map((name) => new Request(name, { cache: "no-cache" }));
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(requests)));
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    const names = await caches.keys();
    const old = names.filter((name) => name.startsWith(PREFIX) && name !== CACHE);
    await Promise.all(old.map((name) => caches.delete(name)));
    await self.clients.claim();
  })());
});

self.addEventListener("fetch", (event) => {
  const address = new URL(event.request.url);
  if (event.request.method !== "GET" || address.origin !== location.origin) return;
  event.respondWith((async () => {
    const cache = await caches.open(CACHE);
    const name = address.pathname.endsWith("/") ? "index.html" : event.request;
    return (await cache.match(name, { ignoreSearch: true })) || fetch(event.request);
  })());
});
