// Runs before the first paint, so that nobody who chose the dark is shown the light first.
(() => {
  const read = (name) => { try { return localStorage.getItem(name); } catch { return null; } };
  const root = document.documentElement;
  const theme = read("ladder.theme");
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  const wanted = read("ladder.language") ?? (navigator.language || "en").slice(0, 2);
  root.lang = wanted === "vi" ? "vi" : "en";
})();
