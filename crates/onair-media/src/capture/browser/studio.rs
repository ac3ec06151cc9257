//! What a page learns about the studio: the read-only part of OBS's `window.obsstudio`.

use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::media::Size;

/// The state of the studio for pages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageStudio {
    /// The scene in the program.
    pub scene: String,
    pub scenes: Vec<String>,
    /// The size of the program.
    pub size: Option<Size>,
    pub streaming: bool,
    pub recording: bool,
    pub paused: bool,
    pub replay: bool,
    pub virtual_camera: bool,
}

/// The current state, which the studio sets and all pages read.
#[derive(Clone, Debug, Default)]
pub struct StudioBoard(Arc<Mutex<PageStudio>>);

impl PartialEq for StudioBoard {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl StudioBoard {
    pub fn set(&self, studio: PageStudio) {
        *self.0.lock() = studio;
    }

    /// Returns the state, if it differs from `before`.
    pub(super) fn change(&self, before: Option<&PageStudio>) -> Option<PageStudio> {
        let now = self.0.lock();
        (Some(&*now) != before).then(|| now.clone())
    }
}

impl PageStudio {
    pub(super) fn to_json(&self) -> Value {
        json!({
            "scene": self.scene, "scenes": self.scenes,
            "width": self.size.map_or(0, |size| size.width),
            "height": self.size.map_or(0, |size| size.height),
            "streaming": self.streaming, "recording": self.recording, "paused": self.paused,
            "replay": self.replay, "virtualcam": self.virtual_camera,
        })
    }
}

/// The name of the function in the page that takes a new state.
pub(super) const UPDATE: &str = "__onairStudio";

/// The script that defines `window.obsstudio` with this state, for every document of the page. The
/// control level is that of OBS's *Read access to user information*.
pub(super) fn script(state: &Value) -> String {
    SCRIPT.replacen("STATE", &state.to_string(), 1)
}

const SCRIPT: &str = r"(() => {
  if (window !== window.top) return;
  let now = STATE;
  const later = (take, value) => { if (typeof take === 'function') setTimeout(() => take(value)); };
  const scene = () => ({ name: now.scene, width: now.width, height: now.height });
  const status = () => ({ streaming: now.streaming, recording: now.recording,
    recordingPaused: now.paused, replaybuffer: now.replay, virtualcam: now.virtualcam });
  const tell = (name, detail) => window.dispatchEvent(new CustomEvent(name, { detail }));
  Object.defineProperty(window, 'obsstudio', { value: Object.freeze({
    pluginVersion: '2.26.0',
    getControlLevel: take => later(take, 2),
    getStatus: take => later(take, status()),
    getCurrentScene: take => later(take, scene()),
    getScenes: take => later(take, [...now.scenes]),
  }) });
  const pairs = [
    ['streaming', ['obsStreamingStarting', 'obsStreamingStarted'],
      ['obsStreamingStopping', 'obsStreamingStopped']],
    ['recording', ['obsRecordingStarting', 'obsRecordingStarted'],
      ['obsRecordingStopping', 'obsRecordingStopped']],
    ['paused', ['obsRecordingPaused'], ['obsRecordingUnpaused']],
    ['replay', ['obsReplaybufferStarting', 'obsReplaybufferStarted'],
      ['obsReplaybufferStopping', 'obsReplaybufferStopped']],
    ['virtualcam', ['obsVirtualcamStarted'], ['obsVirtualcamStopped']],
  ];
  Object.defineProperty(window, '__onairStudio', { value: (next, visible) => {
    if (typeof visible === 'boolean') {
      tell('obsSourceVisibleChanged', { visible });
      tell('obsSourceActiveChanged', { active: visible });
      return;
    }
    const before = now;
    now = next;
    if (before.scene !== now.scene) tell('obsSceneChanged', scene());
    if (String(before.scenes) !== String(now.scenes)) tell('obsSceneListChanged', [...now.scenes]);
    for (const [key, on, off] of pairs) {
      if (before[key] !== now[key]) for (const name of now[key] ? on : off) tell(name, {});
    }
  } });
})()";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_seen_once_and_names_cannot_end_the_script() {
        let board = StudioBoard::default();
        let first = board.change(None).unwrap();
        assert_eq!(board.change(Some(&first)), None);
        let scene = "a\"; alert(1); STATE \u{2028}".to_owned();
        board.set(PageStudio { scene, ..PageStudio::default() });
        let now = board.change(Some(&first)).unwrap();
        let script = script(&now.to_json());
        assert!(script.contains(r#""scene":"a\"; alert(1); STATE"#), "{script}");
        assert_eq!(board, board.clone());
        assert_ne!(board, StudioBoard::default());
    }
}
