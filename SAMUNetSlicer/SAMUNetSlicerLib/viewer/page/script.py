"""Add the little CSS and JavaScript that Vuetify does not bring."""

STYLE = """
html { overflow: hidden !important; }
.samunet-main { height: 100vh; }
.samunet-views {
  display: grid; width: 100%; height: 100%; gap: 2px; background: #2b2b2b;
  grid-template-columns: 1fr 1fr; grid-auto-rows: 1fr;
}
.samunet-views > :only-child { grid-column: 1 / -1; }
.samunet-pane { background: #000; min-width: 0; min-height: 0; }
.samunet-picture { min-height: 0; position: relative; }
.samunet-title, .samunet-letter, .samunet-window {
  position: absolute; color: #e8e8e8; font-size: 13px; pointer-events: none; user-select: none;
  text-shadow: 0 0 3px #000, 0 0 3px #000;
}
.samunet-title { left: 10px; top: 6px; max-width: 42%; }
.samunet-title > * { display: inline-block; margin-right: 8px; }
.samunet-window { left: 10px; bottom: 6px; font-size: 12px; }
.samunet-letter { font-size: 15px; font-weight: 600; }
.samunet-left { left: 8px; top: 47%; }
.samunet-right { right: 8px; top: 47%; }
.samunet-top { top: 6px; left: 50%; }
.samunet-bottom { bottom: 26px; left: 50%; }
.samunet-buttons { position: absolute; right: 4px; top: 2px; color: #e8e8e8; }
.samunet-slider { margin: 0 12px !important; height: 22px; }
.samunet-slider .v-slider__container { min-height: 22px !important; }
.samunet-status { font-size: 13px; flex-wrap: nowrap; }
.samunet-progress { width: 300px; flex-shrink: 0; }
.samunet-bar .v-toolbar__content { overflow-x: auto; scrollbar-width: thin; }
.samunet-bar .v-toolbar__content > * { flex-shrink: 0; }
.samunet-bar .v-toolbar__content > .v-spacer { flex-shrink: 1; }
.samunet-volume { max-width: 280px; }
@media (max-width: 1000px) { .samunet-volume { max-width: 150px; } }
.samunet-color { width: 18px; height: 18px; padding: 0; border: none; background: none; flex-shrink: 0; }
.samunet-name { min-width: 0; color: inherit; font-size: 14px; outline: none; }
.samunet-name:focus { border-bottom: 1px solid currentColor; }
.samunet-angle { min-width: 36px; text-align: right; }
.samunet-link { cursor: pointer; text-decoration: underline; }
"""

# trame shows it when the connection ends; what is above has gone then.
ENDED = """
<div style="display: grid; place-content: center; height: 100vh; background: #212121; color: #e8e8e8;
            font: 16px sans-serif; text-align: center; line-height: 1.6">
  <b>The viewer has ended, or cannot be reached.</b>
  <span>The work is saved: start <code>samunet view</code> again, and open the address that it prints.</span>
</div>
"""

# Keys that mean something in a text field stay there.  What is too large is not sent: a browser that is
# refused while it sends does not read why.
SCRIPT = """
window.samunetPage = window.samunetPage || String(Math.random()).slice(2);
// Going to the address would end the page's connection.
window.samunetFetch = (address) => {
  const link = document.createElement('a');
  link.href = address;
  link.download = '';
  link.click();
};
if (!window.samunetListens) {
  window.samunetListens = true;
  document.addEventListener('keydown', (event) => {
    const target = event.target;
    if (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName)) return;
    if (event.altKey || event.repeat) return;
    const control = event.ctrlKey || event.metaKey;
    const modifiers = control ? (event.shiftKey ? 'ctrl+shift+' : 'ctrl+') : '';
    const key = modifiers + event.key.toLowerCase();
    if (['ctrl+z', 'ctrl+y', 'ctrl+shift+z'].includes(key)) event.preventDefault();
    window.trame.trigger('key', [key, window.samunetPage]);
  });
  document.addEventListener('change', async (event) => {
    if (event.target.id !== 'upload' || !event.target.files.length) return;
    const state = window.trame.state, files = [...event.target.files];
    if (files.reduce((sum, file) => sum + file.size, 0) > state.get('mostBytes')) {
      event.target.value = '';
      state.set('openError', state.get('tooLarge'));
      return;
    }
    const form = new FormData();
    for (const file of files) form.append('file', file, file.name);
    state.set('openError', '');
    state.set('isUploading', true);
    let answer = {error: 'The upload was interrupted: try again.'};
    try {
      answer = await (await fetch('upload', {method: 'POST', body: form})).json();
    } catch (error) { console.warn(error); }
    event.target.value = '';
    state.set('isUploading', false);
    state.set('openError', answer.error || '');
    if (!answer.error) state.set('isOpening', false);
  });
}
"""
