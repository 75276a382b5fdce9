// The one script of our own: light or dark, as the user last chose; an open list of runs closes.
window.dash_clientside = window.dash_clientside || {};
window.dash_clientside.frame = {
  setTheme: function (clicks, kept) {
    const dark = window.matchMedia("(prefers-color-scheme: dark)").matches;
    let theme = kept || (dark ? "dark" : "light");
    if (clicks) theme = theme === "dark" ? "light" : "dark";
    document.documentElement.dataset.theme = theme;
    document.documentElement.dataset.agThemeMode = theme;
    return clicks ? theme : kept || null;
  },
};

const closeLists = (outside) =>
  document.querySelectorAll("details.run-choice[open]").forEach((list) => {
    if (outside(list)) list.open = false;
  });
document.addEventListener("click", (event) => closeLists((list) => !list.contains(event.target)));
document.addEventListener("keydown", (event) => event.key === "Escape" && closeLists(() => true));
