// The one script of our own: light or dark, as the user last chose.
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
