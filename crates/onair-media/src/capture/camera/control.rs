//! The controls of a camera's driver, such as exposure, white balance, focus, gain and the mains
//! frequency. This module contains plain values, and the object through which the studio and open
//! cameras exchange wanted and current values.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::capture::source::CameraFormat;

/// Maximum number of controls per camera.
pub const MAX_CONTROLS: usize = 128;
/// Maximum number of cameras with stored settings.
pub const MAX_CAMERAS: usize = 64;

/// The possible values of a control.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Span {
    Number {
        least: i64,
        most: i64,
        step: i64,
    },
    Switch,
    /// One of these values, each with its name.
    Menu(Vec<(i64, String)>),
}

impl Span {
    /// Returns the nearest allowed value.
    pub fn bounded(&self, value: i64) -> i64 {
        match self {
            Self::Switch => i64::from(value != 0),
            Self::Number { least, most, step } => {
                let (least, most) = (*least, (*most).max(*least));
                let step = (*step).max(1);
                let value = value.clamp(least, most);
                let steps = value.saturating_sub(least) / step;
                let below = least.saturating_add(steps.saturating_mul(step));
                let above = below.saturating_add(step);
                if above <= most && above.abs_diff(value) < value.abs_diff(below) {
                    above
                } else {
                    below
                }
            }
            Self::Menu(items) => {
                let nearest = items.iter().min_by_key(|(item, _)| item.abs_diff(value));
                nearest.map_or(value, |(item, _)| *item)
            }
        }
    }
}

/// A control with its current value in the driver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CameraControl {
    /// Name of the control in the settings file: letters, digits and `_`, derived from the driver's
    /// name.
    pub name: String,
    /// Display name of the control, from the driver.
    pub title: String,
    pub span: Span,
    pub default: i64,
    pub value: i64,
    /// True if the control currently has an effect. An automatic mode can disable the control.
    pub active: bool,
}

/// Converts a driver's name to the form in the settings file: `White Balance, Auto` becomes
/// `white_balance_auto`.
pub fn plain(title: &str) -> String {
    let mut name = String::new();
    for letter in title.chars().take(64) {
        if letter.is_ascii_alphanumeric() {
            name.push(letter.to_ascii_lowercase());
        } else if !name.is_empty() && !name.ends_with('_') {
            name.push('_');
        }
    }
    name.trim_end_matches('_').to_owned()
}

/// Wanted values of a camera by control name.
pub type WantedControls = BTreeMap<String, i64>;

#[derive(Debug, Default)]
struct Inside {
    wanted: BTreeMap<String, WantedControls>,
    /// Controls to reset to the driver's default.
    back: BTreeMap<String, Vec<String>>,
    listed: BTreeMap<String, Arc<Vec<CameraControl>>>,
    formats: BTreeMap<String, Arc<Vec<CameraFormat>>>,
}

/// The shared settings of all cameras. All clones share the same settings.
#[derive(Clone, Debug, Default)]
pub struct CameraControls(Arc<Mutex<Inside>>);

impl PartialEq for CameraControls {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl CameraControls {
    /// Sets the wanted values of all cameras. A control that is no longer set returns to its
    /// default.
    pub fn want(&self, all: &BTreeMap<String, WantedControls>) {
        let mut inside = self.0.lock();
        let before = std::mem::take(&mut inside.wanted);
        for (camera, wanted) in before {
            let now = all.get(&camera);
            let gone =
                wanted.into_keys().filter(|name| now.is_none_or(|it| !it.contains_key(name)));
            let back = inside.back.entry(camera).or_default();
            for name in gone {
                if !back.contains(&name) && back.len() < MAX_CONTROLS {
                    back.push(name);
                }
            }
        }
        // A control that is set again must not return to its default.
        for (camera, back) in &mut inside.back {
            if let Some(wanted) = all.get(camera) {
                back.retain(|name| !wanted.contains_key(name));
            }
        }
        inside.wanted = all.clone();
    }

    /// Returns the wanted values of this camera.
    pub(in crate::capture) fn wanted(&self, camera: &str) -> WantedControls {
        self.0.lock().wanted.get(camera).cloned().unwrap_or_default()
    }

    /// Takes the controls to reset.
    pub(in crate::capture) fn take_back(&self, camera: &str) -> Vec<String> {
        self.0.lock().back.remove(camera).unwrap_or_default()
    }

    /// Stores the controls of the camera.
    pub(in crate::capture) fn tell(&self, camera: &str, controls: Vec<CameraControl>) {
        let mut inside = self.0.lock();
        if inside.listed.len() < MAX_CAMERAS || inside.listed.contains_key(camera) {
            inside.listed.insert(camera.to_owned(), Arc::new(controls));
        }
    }

    /// Removes the values of a disconnected camera.
    pub(in crate::capture) fn forget(&self, camera: &str) {
        self.0.lock().listed.remove(camera);
    }

    /// Stores the formats of an open camera.
    pub(in crate::capture) fn tell_formats(&self, camera: &str, formats: Vec<CameraFormat>) {
        let mut inside = self.0.lock();
        if inside.formats.len() < MAX_CAMERAS || inside.formats.contains_key(camera) {
            inside.formats.insert(camera.to_owned(), Arc::new(formats));
        }
    }

    /// Returns the formats of cameras that are or were open.
    pub fn formats(&self) -> BTreeMap<String, Arc<Vec<CameraFormat>>> {
        self.0.lock().formats.clone()
    }

    /// Returns the controls of all open cameras.
    pub fn listed(&self) -> BTreeMap<String, Arc<Vec<CameraControl>>> {
        self.0.lock().listed.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_brought_to_what_may_be_set() {
        let number = Span::Number { least: -10, most: 25, step: 10 };
        let values: Vec<i64> =
            [-99, -6, -4, 0, 14, 16, 99].iter().map(|it| number.bounded(*it)).collect();
        assert_eq!(values, [-10, -10, 0, 0, 10, 20, 20]);
        let odd = Span::Number { least: 5, most: -5, step: 0 };
        assert_eq!(odd.bounded(i64::MAX), 5);
        let whole = Span::Number { least: i64::MIN, most: i64::MAX, step: i64::MAX };
        assert_eq!(whole.bounded(-7), -1, "the end of a step, without overflow");
        assert_eq!((Span::Switch.bounded(7), Span::Switch.bounded(0)), (1, 0));
        let menu = Span::Menu(vec![(1, "Manual".into()), (3, "Aperture".into())]);
        assert_eq!((menu.bounded(0), menu.bounded(9)), (1, 3));
        assert_eq!(Span::Menu(Vec::new()).bounded(4), 4);
    }

    #[test]
    fn names_are_plain() {
        assert_eq!(plain("White Balance, Auto"), "white_balance_auto");
        assert_eq!(plain("  Exposure (Absolute) "), "exposure_absolute");
        assert_eq!(plain("曝光"), "");
    }

    #[test]
    fn what_is_no_longer_wanted_goes_back_once() {
        let board = CameraControls::default();
        let wanted = |names: &[&str]| -> BTreeMap<String, WantedControls> {
            let values = names.iter().map(|name| ((*name).to_owned(), 3)).collect();
            [("cam".to_owned(), values)].into()
        };
        board.want(&wanted(&["gain", "focus"]));
        assert_eq!((board.wanted("cam").len(), board.take_back("cam").len()), (2, 0));
        board.want(&wanted(&["gain"]));
        board.want(&wanted(&["gain"]));
        assert_eq!(board.take_back("cam"), ["focus"]);
        board.want(&BTreeMap::new());
        assert_eq!(board.take_back("cam"), ["gain"]);
        assert!(board.take_back("cam").is_empty() && board.wanted("other").is_empty());
    }

    #[test]
    fn what_is_wanted_again_while_the_camera_is_closed_does_not_go_back() {
        let board = CameraControls::default();
        let values = WantedControls::from([("gain".to_owned(), 3), ("focus".to_owned(), 4)]);
        let set = BTreeMap::from([("cam".to_owned(), values)]);
        board.want(&set);
        board.want(&BTreeMap::new());
        board.want(&set);
        assert!(board.take_back("cam").is_empty());
        assert_eq!(board.wanted("cam").len(), 2);
    }
}
