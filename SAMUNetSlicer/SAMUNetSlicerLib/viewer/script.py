"""The little CSS and JavaScript that Vuetify does not bring."""

STYLE = """
html { overflow: hidden !important; }
.samunet-main { height: 100vh; }
.samunet-views {
  display: grid; width: 100%; height: 100%; gap: 2px; background: #000;
  grid-template-columns: 1fr 1fr; grid-auto-rows: 1fr;
}
.samunet-views > :only-child { grid-column: 1 / -1; }
.samunet-pane { position: relative; overflow: hidden; background: #000; min-width: 0; min-height: 0; }
.samunet-title, .samunet-letter { position: absolute; color: #e8e8e8; font-size: 13px; pointer-events: none;
  text-shadow: 0 0 3px #000, 0 0 3px #000; user-select: none; }
.samunet-title { left: 10px; top: 6px; }
.samunet-letter { font-size: 15px; font-weight: 600; }
.samunet-left { left: 8px; top: 50%; }
.samunet-right { right: 8px; top: 50%; }
.samunet-top { top: 6px; left: 50%; }
.samunet-bottom { bottom: 34px; left: 50%; }
.samunet-buttons { position: absolute; right: 4px; top: 2px; color: #e8e8e8; }
.samunet-slider { position: absolute; left: 12px; right: 12px; bottom: 0; }
.samunet-status { font-size: 13px; }
"""

# Keys that mean something in a text field stay there.
KEYS = """
document.addEventListener('keydown', (event) => {
  const target = event.target;
  if (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName)) return;
  if (event.altKey || event.repeat) return;
  const control = event.ctrlKey || event.metaKey;
  const modifiers = control ? (event.shiftKey ? 'ctrl+shift+' : 'ctrl+') : '';
  const key = modifiers + event.key.toLowerCase();
  if (['ctrl+z', 'ctrl+y', 'ctrl+shift+z'].includes(key)) event.preventDefault();
  window.trame.trigger('key', [key]);
});
"""
