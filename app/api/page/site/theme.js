// Light, dark, or as the system has it.

const KEPT = "ladder.theme";
export const themes = ["system", "light", "dark"];

export const theme = () => document.documentElement.dataset.theme ?? "system";

export function choose(chosen) {
  if (chosen === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
  try { chosen === "system" ? localStorage.removeItem(KEPT) : localStorage.setItem(KEPT, chosen); } catch { /* it holds for this visit */ }
}
